{{- define "boxoffice.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "boxoffice.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- if eq $tag "latest" -}}{{- fail "image.tag: latest is not a version" -}}{{- end -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}

{{- define "boxoffice.selector" -}}
app.kubernetes.io/name: boxoffice
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "boxoffice.labels" -}}
{{ include "boxoffice.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "boxoffice.storesSecret" -}}
{{- .Values.stores.existingSecret | default (printf "%s-stores" (include "boxoffice.name" .)) -}}
{{- end -}}

{{- define "boxoffice.keysSecret" -}}
{{- .Values.keys.existingSecret | default (printf "%s-keys" (include "boxoffice.name" .)) -}}
{{- end -}}

{{/* The URLs of all databases, each of which must be there. */}}
{{- define "boxoffice.storeUrls" -}}
{{- range $service := list "user" "event" "ticket" "feedback" "notification" "analytics" }}
{{ $service }}: {{ required (printf "stores.urls.%s or stores.existingSecret is needed" $service) (index $.Values.stores.urls $service) | quote }}
{{- end }}
{{- end -}}

{{/* Where people reach the pages: what is said, or the host of the ingress. */}}
{{- define "boxoffice.publicUrl" -}}
{{- $ingress := .Values.gateway.ingress -}}
{{- if .Values.web.publicUrl -}}
{{ .Values.web.publicUrl }}
{{- else if $ingress.enabled -}}
{{ ternary "https" "http" (ne $ingress.tlsSecret "") }}://{{ $ingress.host }}
{{- end -}}
{{- end -}}

{{- define "boxoffice.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "boxoffice.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What jobs may take. */}}
{{- define "boxoffice.jobResources" -}}
requests: {cpu: 50m, memory: 64Mi}
limits: {cpu: "1", memory: 256Mi}
{{- end -}}
