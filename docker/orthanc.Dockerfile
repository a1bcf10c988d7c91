# The official image of Orthanc with Hilum's plug-in and what it needs. Build from the repository's root.
# The image's start script reads every /etc/orthanc/*.json, fills in environment variables, and enables the plug-ins whose settings it finds there.
ARG ORTHANC_IMAGE=orthancteam/orthanc:26.4.2
FROM ${ORTHANC_IMAGE}
USER root
# Orthanc's Python plug-in runs the image's own Python, which PEP 668 marks as the distribution's; in an image nobody else shares it.
COPY docker/orthanc-requirements.txt /tmp/requirements.txt
RUN python3 -m pip install --no-cache-dir --break-system-packages --require-hashes --no-deps -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt
COPY plugin/orthanc/hilum_orthanc.py /usr/share/hilum/hilum_orthanc.py
COPY docker/orthanc.json /etc/orthanc/hilum.json
