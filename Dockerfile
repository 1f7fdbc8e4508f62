# syntax=docker/dockerfile:1
# The server as an image: docker build -t streams . && docker run -p 9000:9000 -v streams:/data streams

FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libsqlite3-dev zlib1g-dev
WORKDIR /source
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product streams --static-swift-stdlib -Xlinker -s \
    && cp "$(swift build -c release --show-bin-path)/streams" /streams

FROM debian:bookworm-slim
# TLS roots for stores behind HTTPS; SQLite for the embedded one.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home streams \
    && install -d -o streams -g streams /data
COPY --from=build /streams /usr/local/bin/streams
USER streams
ENV STREAMS_HOST=0.0.0.0 STREAMS_PORT=9000 STREAMS_DATA=/data/streams.sqlite
VOLUME /data
EXPOSE 9000
# Lists the topics, which asks the store, as /health does.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
    CMD ["sh", "-c", "exec streams topics --url http://127.0.0.1:$STREAMS_PORT"]
ENTRYPOINT ["streams"]
CMD ["serve"]
