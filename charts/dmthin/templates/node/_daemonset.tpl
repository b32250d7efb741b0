{{/* A daemonset and its configuration: (list $ GROUP NODE-VALUES); GROUP is "" for the first. */}}
{{- define "dmthin.daemonset" }}
{{- $root := index . 0 }}
{{- $group := index . 1 }}
{{- $node := index . 2 }}
{{- $kubelet := $root.Values.kubeletPath | trimSuffix "/" }}
{{- $name := include "dmthin.node" $root }}
{{- with $group }}{{ $name = printf "%s-%s" $name . }}{{ end }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "dmthin.labels" (list $root "node") | nindent 4 }}
data:
  config.yaml: |
    {{ include "dmthin.nodeConfig" (list $root $node) | trim | nindent 4 | trim }}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "dmthin.labels" (list $root "node") | nindent 4 }}
  {{- with $node.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  updateStrategy: {{- toYaml $node.updateStrategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "dmthin.selector" (list $root "node") | nindent 6 }}
      dmthin.io/node-group: {{ $group | default "default" }}
  template:
    metadata:
      labels:
        {{- include "dmthin.labels" (list $root "node") | nindent 8 }}
        dmthin.io/node-group: {{ $group | default "default" }}
        {{- with $node.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        kubectl.kubernetes.io/default-container: dmthin
        checksum/config: {{ include "dmthin.nodeConfig" (list $root $node) | sha256sum }}
        {{- with $node.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "dmthin.node" $root }}
      automountServiceAccountToken: true
      priorityClassName: {{ $node.priorityClassName }}
      terminationGracePeriodSeconds: {{ $node.terminationGracePeriodSeconds }}
      hostPID: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $node.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $node.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $node.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        # The image's own entry point stays: it resumes what a driver that dies has suspended.
        - name: dmthin
          image: {{ include "dmthin.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [node, --config, /etc/dmthin/dmthin.yaml]
          env:
            - name: NODE_NAME
              valueFrom:
                fieldRef:
                  fieldPath: spec.nodeName
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            {{- with $node.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: metrics
              containerPort: {{ $root.Values.metrics.port }}
              protocol: TCP
          # No liveness probe: a driver that waits for a slow kernel is not made faster by being killed.
          readinessProbe:
            httpGet:
              path: /readyz
              port: metrics
            # Often, for a restart is over when it is seen; patient, for a node that is busy is no reason to put nothing there.
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 7
          securityContext:
            privileged: true
          {{- with $node.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts:
            - name: config
              mountPath: /etc/dmthin
              readOnly: true
            # At the host's own paths, which the kubelet hands to the driver.
            - name: kubelet-plugins
              mountPath: {{ $kubelet }}/plugins
              mountPropagation: Bidirectional
            - name: kubelet-pods
              mountPath: {{ $kubelet }}/pods
              mountPropagation: Bidirectional
            - name: kubelet-registration
              mountPath: {{ $kubelet }}/plugins_registry
            - name: devices
              mountPath: /dev
            - name: udev
              mountPath: /run/udev
            - name: lvm-locks
              mountPath: /run/lock/lvm
            - name: modules
              mountPath: /lib/modules
              readOnly: true
            - name: sys
              mountPath: /sys
            - name: run
              mountPath: /run/dmthin
            - name: state
              mountPath: /var/lib/dmthin
            {{- range $index, $directory := $node.loopDirectories }}
            - name: loop-{{ $index }}
              mountPath: {{ $directory }}
            {{- end }}
            {{- with $node.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: config
          configMap:
            name: {{ $name }}
            # Where commands such as "dmthin pool check", said in the pod, look for it.
            items: [{ key: config.yaml, path: dmthin.yaml }]
        - name: kubelet-plugins
          hostPath:
            path: {{ $kubelet }}/plugins
            type: DirectoryOrCreate
        - name: kubelet-pods
          hostPath:
            path: {{ $kubelet }}/pods
            type: DirectoryOrCreate
        - name: kubelet-registration
          hostPath:
            path: {{ $kubelet }}/plugins_registry
            type: DirectoryOrCreate
        - name: devices
          hostPath:
            path: /dev
            type: Directory
        - name: udev
          hostPath:
            path: /run/udev
            type: DirectoryOrCreate
        - name: lvm-locks
          hostPath:
            path: /run/lock/lvm
            type: DirectoryOrCreate
        - name: modules
          hostPath:
            path: /lib/modules
        - name: sys
          hostPath:
            path: /sys
            type: Directory
        - name: run
          hostPath:
            path: /run/dmthin
            type: DirectoryOrCreate
        - name: state
          hostPath:
            path: /var/lib/dmthin
            type: DirectoryOrCreate
        {{- range $index, $directory := $node.loopDirectories }}
        - name: loop-{{ $index }}
          hostPath:
            path: {{ $directory }}
            type: DirectoryOrCreate
        {{- end }}
        {{- with $node.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}
