{{/* (list $ NODE-VALUES) */}}
{{- define "dmthin.nodeConfig" -}}
{{- $root := index . 0 -}}
{{- $node := index . 1 -}}
{{- $kubelet := $root.Values.kubeletPath | trimSuffix "/" -}}
socket: unix://{{ $kubelet }}/plugins/{{ include "dmthin.driver" $root }}/csi.sock
registrationDirectory: {{ $kubelet }}/plugins_registry
maxVolumesPerNode: {{ $node.maxVolumesPerNode }}
shutdownDeadline: {{ $node.shutdownDeadline }}
alphaCapabilities: {{ $root.Values.alphaCapabilities }}
log: {{ toJson $root.Values.log }}
metrics:
  listen: ":{{ $root.Values.metrics.port }}"
  perVolume: {{ $root.Values.metrics.perVolume }}
  exclusiveInterval: {{ $root.Values.metrics.exclusiveInterval }}
{{ end }}
