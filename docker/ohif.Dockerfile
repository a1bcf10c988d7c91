# The OHIF viewer in the version that was tried, with a proxy to Orthanc on its own origin. Build from the repository's root.
# Its files come from its npm package, checked against a digest, as for `npm run demo` and the tests.
FROM node:24-bookworm-slim AS viewer
WORKDIR /build
COPY scripts/lib/viewer.cjs scripts/lib/cache.cjs scripts/lib/processes.cjs scripts/lib/
RUN HILUM_CACHE_DIR=/cache node -e "require('./scripts/lib/viewer.cjs').ensureViewer()" && mv /cache/ohif-*/dist /dist

FROM nginx:1.28-alpine
COPY --from=viewer /dist /usr/share/nginx/html
COPY docker/ohif/app-config.js /usr/share/nginx/html/app-config.js
COPY docker/ohif/nginx.conf /etc/nginx/nginx.conf
USER nginx
EXPOSE 8080
# Not the image's own start script: it would try to edit files on a read-only disk.
ENTRYPOINT ["nginx", "-e", "stderr", "-g", "daemon off;"]
CMD []
