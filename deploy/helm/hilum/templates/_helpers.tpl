{{- define "hilum.name" -}}
{{- printf "%s-%s" .Release.Name "hilum" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "hilum.selector" -}}
app.kubernetes.io/name: hilum
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hilum.labels" -}}
{{ include "hilum.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* A worker listens on loopback, where it needs neither sign-in nor TLS. */ -}}
{{- define "hilum.workerConfig" -}}
{{- $own := dict "roles" (list "worker") "state" (dict "dir" "/var/lib/hilum") "http" (dict "host" "127.0.0.1" "port" 8080) -}}
{{- toYaml (merge $own (omit (deepCopy .Values.config) "access")) -}}
{{- end -}}

{{- define "hilum.listConfig" -}}
{{- $tls := dict "certFile" "/etc/hilum-tls/tls.crt" "keyFile" "/etc/hilum-tls/tls.key" -}}
{{- $http := dict "host" "0.0.0.0" "port" 8443 "tls" $tls -}}
{{- if .Values.list.publicUrl }}{{- $_ := set $http "publicUrl" .Values.list.publicUrl -}}{{- end -}}
{{- $own := dict "roles" (list "list" "catch-up" "sinks") "state" (dict "dir" "/var/lib/hilum") "http" $http -}}
{{- toYaml (merge $own (deepCopy .Values.config)) -}}
{{- end -}}

{{- define "hilum.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "hilum.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "hilum.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
