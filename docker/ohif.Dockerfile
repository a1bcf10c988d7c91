# syntax=docker/dockerfile:1
# The OHIF viewer in the version that was tried, with a proxy to Orthanc on its own origin. Build from the repository's root.
FROM node:22-slim AS viewer
WORKDIR /build
COPY scripts/lib/viewer.cjs scripts/lib/
COPY docker/ohif/app-config.js docker/ohif/
RUN HILUM_CACHE_DIR=/cache node -e "require('./scripts/lib/viewer.cjs').ensureViewer()" && mv /cache/ohif-*/dist /dist

FROM nginxinc/nginx-unprivileged:1.27-alpine
COPY --from=viewer /dist /usr/share/nginx/html
COPY docker/ohif/app-config.js /usr/share/nginx/html/app-config.js
COPY docker/ohif/nginx.conf /etc/nginx/conf.d/default.conf
