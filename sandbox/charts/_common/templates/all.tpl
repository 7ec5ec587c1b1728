{{- /* What a chart of upstream would bring that others see: its kinds, and workloads of the same names. */ -}}
{{- $parts := .Files.Get "components.yml" | fromYaml }}
{{- range $crd := $parts.crds }}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {{ $crd.plural }}.{{ $crd.group }}
  annotations: {helm.sh/resource-policy: keep}
spec:
  group: {{ $crd.group }}
  scope: {{ $crd.scope | default "Namespaced" }}
  names: {kind: {{ $crd.kind }}, plural: {{ $crd.plural }}, singular: {{ $crd.kind | lower }}}
  versions:
    - name: {{ $crd.version }}
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
{{- end }}
{{- range $name := $parts.accounts }}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ $name }}, namespace: {{ $.Release.Namespace }}}
{{- end }}
{{- range $name, $port := $parts.services }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ $name }}, namespace: {{ $.Release.Namespace }}}
spec:
  selector: {app.kubernetes.io/component: {{ $name }}}
  ports: [{name: http, port: {{ $port }}}]
{{- end }}
{{- range $one := $parts.workloads }}
{{- if not (and $one.ships_logs $.Values.containerLogs (not $.Values.containerLogs.enabled)) }}
---
apiVersion: apps/v1
kind: {{ $one.kind }}
metadata:
  name: {{ $one.name }}
  namespace: {{ $.Release.Namespace }}
  labels: {app.kubernetes.io/name: {{ $.Chart.Name }}, pipeops.platform/stands-in: "true"}
spec:
  {{- if ne $one.kind "DaemonSet" }}
  replicas: {{ $one.replicas | default 1 }}
  {{- end }}
  {{- if eq $one.kind "StatefulSet" }}
  serviceName: {{ $one.name }}
  {{- end }}
  selector: {matchLabels: {app.kubernetes.io/component: {{ $one.name }}}}
  template:
    metadata: {labels: {app.kubernetes.io/component: {{ $one.name }}, app.kubernetes.io/name: {{ $.Chart.Name }}}}
    spec:
      {{- with $one.account }}
      serviceAccountName: {{ . }}
      {{- end }}
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: RuntimeDefault}}
      {{- if eq $one.kind "DaemonSet" }}
      tolerations: [{operator: Exists}]
      {{- end }}
      containers:
        - name: stand-in
          image: registry.k8s.io/pause:3.10
          resources: {requests: {cpu: {{ $one.cpu | default "20m" }}, memory: {{ $one.memory | default "32Mi" }}}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
{{- end }}
{{- end }}
