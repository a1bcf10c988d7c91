# The official image of Orthanc with what Hilum's plug-in needs. The plug-in itself is mounted by compose.yaml, or copied where you build your own.
FROM orthancteam/orthanc:25.2.0
RUN pip install --no-cache-dir --break-system-packages 'pika>=1.2,<2'
