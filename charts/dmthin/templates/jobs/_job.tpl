{{/* A pod that does one thing with the cluster's objects, and ends: (list $ NAME ARGS). */}}
{{- define "dmthin.jobPod" -}}
{{- $root := index . 0 -}}
{{- $jobs := $root.Values.jobs -}}
metadata:
  labels:
    {{- include "dmthin.labels" (list $root (index . 1)) | nindent 4 }}
    {{- with $jobs.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $jobs.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "dmthin.jobPodSpec" . | nindent 2 }}
{{- end }}

{{- define "dmthin.jobPodSpec" -}}
{{- $root := index . 0 -}}
{{- $jobs := $root.Values.jobs -}}
serviceAccountName: {{ include "dmthin.jobs" $root }}
automountServiceAccountToken: true
restartPolicy: Never
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "dmthin.unprivilegedPod" $root | nindent 2 }}
{{- with $jobs.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $jobs.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: dmthin
    image: {{ include "dmthin.image" $root }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args: {{- index . 2 | toYaml | nindent 6 }}
    terminationMessagePolicy: FallbackToLogsOnError
    securityContext: {{- include "dmthin.unprivileged" $root | nindent 6 }}
    {{- with $jobs.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - name: tmp
        mountPath: /tmp
      {{- if eq (index . 1) "pools" }}
      - name: pools
        mountPath: /etc/dmthin
        readOnly: true
      {{- end }}
volumes:
  - name: tmp
    emptyDir:
      medium: Memory
      sizeLimit: 1Mi
  {{- if eq (index . 1) "pools" }}
  - name: pools
    configMap:
      name: {{ $root.Values.fullnameOverride }}-pools
  {{- end }}
{{- end }}
