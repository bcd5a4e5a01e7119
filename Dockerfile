# One image for api, worker and migrate: a static binary, certificates, time zones, and nothing else. Pinned to
# the Go that go.mod is developed with.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/steward ./cmd/steward && \
    mkdir -p /out/data

# One static program for the health checks of docker-compose.yml.
FROM busybox:1.37-musl AS busybox

FROM scratch
COPY --from=busybox /bin/wget /bin/wget
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /
COPY --from=build /out/steward /steward
# The owner of a named volume is the one that its folder has in the image.
COPY --from=build --chown=65532:65532 /out/data /data
ENV ZONEINFO=/zoneinfo.zip STEWARD_DATA=/data STEWARD_LISTEN=0.0.0.0:8000
USER 65532:65532
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/steward"]
CMD ["serve"]
