{{/* What the chart's objects are called, and how they are found. */}}

{{- define "dmthin.driver" -}}csi.dmthin.io{{- end }}

{{- define "dmthin.controller" -}}{{ .Values.fullnameOverride }}-controller{{- end }}
{{- define "dmthin.node" -}}{{ .Values.fullnameOverride }}-node{{- end }}
{{- define "dmthin.jobs" -}}{{ .Values.fullnameOverride }}-jobs{{- end }}

{{/* What never changes of a component: (list $ "node"). */}}
{{- define "dmthin.selector" -}}
app.kubernetes.io/name: dmthin
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* (list $ "node"); without a component, "". */}}
{{- define "dmthin.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: dmthin
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: dmthin
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* (list IMAGE "default tag") */}}
{{- define "dmthin.imageName" -}}
{{- $image := index . 0 -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default (index . 1) }}{{ end }}
{{- end }}

{{- define "dmthin.image" -}}
{{- include "dmthin.imageName" (list .Values.image .Chart.AppVersion) }}
{{- end }}

{{/* "true" or "": (list $ VALUE "group/version/Kind") of a value that is auto, true or false. */}}
{{- define "dmthin.enabled" -}}
{{- $wanted := toString (index . 1) -}}
{{- if eq $wanted "auto" -}}
{{- if (index . 0).Capabilities.APIVersions.Has (index . 2) -}}true{{- end -}}
{{- else if eq $wanted "true" -}}true{{- end -}}
{{- end }}
{{- define "dmthin.snapshots" -}}
{{- include "dmthin.enabled" (list . .Values.snapshots.enabled "snapshot.storage.k8s.io/v1/VolumeSnapshotClass") }}
{{- end }}
{{- define "dmthin.groupSnapshots" -}}
{{- include "dmthin.enabled" (list . .Values.groupSnapshots.enabled "groupsnapshot.storage.k8s.io/v1/VolumeGroupSnapshotClass") }}
{{- end }}

{{/* A pod of ours that needs nothing of its node. */}}
{{- define "dmthin.unprivilegedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- define "dmthin.unprivileged" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
