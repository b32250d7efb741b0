{{/*
The CSI sidecars. The defaults of theirs that are not taken, and why: docs/chart.md, "The sidecars".
*/}}

{{- define "dmthin.provisioner" -}}
{{- $sidecar := .Values.sidecars.provisioner -}}
- name: csi-provisioner
  args:
    - --csi-address=/csi/csi.sock
    - --v={{ $sidecar.logLevel }}
    - --leader-election
    - --leader-election-namespace=$(NAMESPACE)
    - --extra-create-metadata
    - --enable-capacity
    - --capacity-ownerref-level=2
    - --capacity-poll-interval={{ $sidecar.capacityPollInterval }}
    - --capacity-threads={{ $sidecar.capacityThreads }}
    - --kube-api-capacity-qps={{ $sidecar.capacityQPS }}
    - --kube-api-capacity-burst={{ $sidecar.capacityBurst }}
    - --kube-api-qps={{ $sidecar.kubeApiQPS }}
    - --kube-api-burst={{ $sidecar.kubeApiBurst }}
    - --worker-threads={{ $sidecar.workerThreads }}
    - --immediate-topology=false
    - --retry-interval-max={{ $sidecar.retryIntervalMax }}
    - --timeout={{ $sidecar.timeout }}
    - --http-endpoint=:{{ index .Values.metrics.sidecarPorts 0 }}
    {{- with $sidecar.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "dmthin.sidecar" (list . $sidecar (index .Values.metrics.sidecarPorts 0) "provisioner") | nindent 2 }}
{{- end }}

{{- define "dmthin.snapshotter" -}}
{{- $sidecar := .Values.sidecars.snapshotter -}}
- name: csi-snapshotter
  args:
    - --csi-address=/csi/csi.sock
    - --v={{ $sidecar.logLevel }}
    - --leader-election
    - --leader-election-namespace=$(NAMESPACE)
    - --kube-api-qps={{ $sidecar.kubeApiQPS }}
    - --kube-api-burst={{ $sidecar.kubeApiBurst }}
    - --timeout={{ $sidecar.timeout }}
    - --http-endpoint=:{{ index .Values.metrics.sidecarPorts 1 }}
    {{- if not (include "dmthin.groupSnapshots" .) }}
    - --feature-gates=CSIVolumeGroupSnapshot=false
    {{- end }}
    {{- with $sidecar.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "dmthin.sidecar" (list . $sidecar (index .Values.metrics.sidecarPorts 1) "snapshotter") | nindent 2 }}
{{- end }}

{{- define "dmthin.resizer" -}}
{{- $sidecar := .Values.sidecars.resizer -}}
- name: csi-resizer
  args:
    - --csi-address=/csi/csi.sock
    - --v={{ $sidecar.logLevel }}
    - --leader-election
    - --leader-election-namespace=$(NAMESPACE)
    - --handle-volume-inuse-error=false
    - --kube-api-qps={{ $sidecar.kubeApiQPS }}
    - --kube-api-burst={{ $sidecar.kubeApiBurst }}
    - --resize-timeout={{ $sidecar.timeout }}
    - --modify-timeout={{ $sidecar.timeout }}
    - --http-endpoint=:{{ index .Values.metrics.sidecarPorts 2 }}
    {{- with $sidecar.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- include "dmthin.sidecar" (list . $sidecar (index .Values.metrics.sidecarPorts 2) "resizer") | nindent 2 }}
{{- end }}

{{/* What they have in common: (list $ SIDECAR PORT NAME). */}}
{{- define "dmthin.sidecar" -}}
{{- $root := index . 0 -}}
{{- $sidecar := index . 1 -}}
image: {{ include "dmthin.imageName" (list $sidecar.image "") }}
imagePullPolicy: {{ $sidecar.image.pullPolicy }}
env:
  - name: NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- with $sidecar.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: {{ index . 3 }}
    containerPort: {{ index . 2 }}
    protocol: TCP
livenessProbe:
  httpGet:
    path: /healthz/leader-election
    port: {{ index . 3 }}
  initialDelaySeconds: 30
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 3
securityContext: {{- mergeOverwrite (include "dmthin.unprivileged" $root | fromYaml) $sidecar.securityContext | toYaml | nindent 2 }}
resources: {{- toYaml $sidecar.resources | nindent 2 }}
volumeMounts:
  - name: socket
    mountPath: /csi
{{- end }}
