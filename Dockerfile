# A plain server: the page on port 7860, as a public page with limits.
#   docker build -t audioclf .
#   docker run -p 7860:7860 -v audioclf:/data audioclf
FROM python:3.12-slim

# The wheels bring libsndfile, soxr and FFmpeg's libraries; TensorFlow and scikit-learn want libgomp.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 audioclf \
    && mkdir /data \
    && chown audioclf /data

WORKDIR /src
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps . && rm -rf /src

USER audioclf
WORKDIR /data
VOLUME /data
ENV AUDIOCLF_DATA=/data/data AUDIOCLF_CACHE=/data/cache GRADIO_TEMP_DIR=/data/uploads
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=4)"]
CMD ["audioclf", "serve", "--host", "0.0.0.0", "--port", "7860"]
