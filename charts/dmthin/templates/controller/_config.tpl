{{- define "dmthin.controllerConfig" -}}
socket: unix:///csi/csi.sock
nodeMissingFor: {{ .Values.controller.nodeMissingFor }}
startupTaint: {{ .Values.startupTaint | default "none" }}
agentSelector: app.kubernetes.io/name=dmthin,app.kubernetes.io/instance={{ .Release.Name }},app.kubernetes.io/component=node
shutdownDeadline: {{ .Values.controller.shutdownDeadline }}
alphaCapabilities: {{ .Values.alphaCapabilities }}
log: {{ toJson .Values.log }}
metrics:
  listen: ":{{ .Values.metrics.port }}"
{{ end }}
