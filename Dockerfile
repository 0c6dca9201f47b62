# syntax=docker/dockerfile:1
#
#   docker build -t portreeve .
#   docker run --read-only -p 127.0.0.1:8080:8080 -v ./config:/portreeve/config:ro portreeve
#
# The configuration is mounted at /portreeve/config; its files of secrets belong to user 65532 and are mode 0600. With
# PostgreSQL nothing is written anywhere. SQLite belongs on a volume, beside the configuration and not in it:
#
#   -e PORTREEVE_DATABASE__URL=sqlite://data/portreeve.db -v portreeve:/portreeve/data
#
# Any command may take the place of `serve`: `portreeve check`.

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
# Crates and compiled dependencies stay in the builder's cache from one build to the next, so the program leaves it here.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin portreeve \
    && install -D -m 0755 target/release/portreeve /image/usr/local/bin/portreeve \
    && install -d -m 0700 /image/portreeve/data \
    && install -d -m 0755 /image/portreeve/config

# glibc, the system's trusted certificates and a user 65532, but no shell and no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Portreeve" \
      org.opencontainers.image.description="A standalone OAuth 2.0 / OpenID Connect authorization server" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/usr/local/bin/portreeve /usr/local/bin/portreeve
COPY --from=build --chown=65532:65532 /image/portreeve /portreeve
COPY LICENSE /portreeve/LICENSE
# Loopback, the default, is of no use inside a container. What is published of these ports is for the container's
# operator to say: the second is never public.
ENV PORTREEVE_LISTEN__ADDRESS=0.0.0.0:8080 \
    PORTREEVE_OPERATIONS__ADDRESS=0.0.0.0:9090
EXPOSE 8080 9090
WORKDIR /portreeve
USER 65532:65532
# Whoever runs the container asks /health/live and /health/ready on port 9090; there is no shell in here to ask.
HEALTHCHECK NONE
ENTRYPOINT ["portreeve"]
CMD ["serve"]
