# One image for api, worker and migrate: a static binary, pinned to the Go that go.mod is developed with, beside what
# runs MCP servers.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY internal/sdkjson internal/sdkjson
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/steward ./cmd/steward && \
    mkdir -p /out/data

# Node.js and Python run the MCP servers that are installed as packages; nothing else of the image is used.
FROM node:22-bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv wget && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /
COPY --from=build /out/steward /steward
# The owner of a named volume is the one that its folder has in the image.
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/data /packages
ENV ZONEINFO=/zoneinfo.zip STEWARD_DATA=/data STEWARD_PACKAGES=/packages STEWARD_LISTEN=0.0.0.0:8000
USER 65532:65532
VOLUME /data /packages
EXPOSE 8000
ENTRYPOINT ["/steward"]
CMD ["serve"]
