# The image of dmthin, for x86-64 and arm64: `docker build -t dmthin .`, or both at once by
# `docker buildx build --platform linux/amd64,linux/arm64 -t dmthin .`; Docker 23 or newer, or buildah.

# This stage is the builder's own architecture, whatever the image's: nothing in it is emulated.
FROM --platform=$BUILDPLATFORM debian:trixie AS build
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
    binutils-aarch64-linux-gnu binutils-x86-64-linux-gnu ca-certificates libatomic1 npm
WORKDIR /build
# First what changes seldom: the dependencies are a layer of their own.
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build
# What the program needs at run time: the bundle, the protocols, one native library, and the project's own Node. The last two are
# of the image's architecture; a builder that does not name one means its own.
ARG TARGETARCH
RUN set -eu; \
    case "${TARGETARCH:-$(dpkg --print-architecture)}" in \
        amd64) arch=x64; strip=x86_64-linux-gnu-strip;; \
        arm64) arch=arm64; strip=aarch64-linux-gnu-strip;; \
        *) echo "There is no image for $TARGETARCH: amd64 or arm64 it must be."; exit 1;; \
    esac; \
    node test/run.mjs foreign-packages "$arch"; \
    mkdir -p /out/app/node_modules/koffi/src/koffi/src /out/app/node_modules/@koromix /out/usr/local/bin; \
    cp -r dist/. LICENSE /out/app/; \
    rm -f /out/app/*.map; \
    cp "node_modules/node-linux-$arch/bin/node" /out/usr/local/bin/; \
    "$strip" --strip-unneeded /out/usr/local/bin/node; \
    (cd node_modules/koffi && cp package.json LICENSE.txt index.js /out/app/node_modules/koffi/ \
        && cp src/koffi/index.js /out/app/node_modules/koffi/src/koffi/ && cp src/koffi/src/static.js /out/app/node_modules/koffi/src/koffi/src/); \
    cp -r "node_modules/@koromix/koffi-linux-$arch" /out/app/node_modules/@koromix/; \
    ln -s /app/main.js /out/usr/local/bin/dmthin

FROM debian:trixie-slim
# xfsprogs depends on Python and ICU for its scrubber alone, which nobody starts here: a third of the system.
RUN set -eu; \
    export DEBIAN_FRONTEND=noninteractive; \
    apt-get update; \
    apt-get install -y --no-install-recommends \
        btrfs-progs dmsetup e2fsprogs grep kmod libatomic1 lvm2 mount thin-provisioning-tools tini util-linux xfsprogs; \
    dpkg --purge --force-depends $(dpkg-query -Wf '${Package}\n' 'libglib2.0*' 'libicu*' 'libpython3*' 'python3*'); \
    rm -f /usr/sbin/xfs_scrub*; \
    apt-get clean; \
    rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man; \
    for program in blkid btrfs btrfstune dmsetup e2fsck grep losetup lvm mkfs.btrfs \
        mkfs.ext4 mkfs.xfs mount resize2fs thin_check thin_dump thin_ls thin_repair tini umount wipefs \
        xfs_growfs xfs_repair; do \
        path="$(command -v "$program")"; \
        if ldd "$path" 2>&1 | grep "not found"; then exit 1; fi; \
    done
COPY --from=build /out/ /
# A quarter of what a start computes is compiling: that is done here, for who starts where Node and processor are alike.
RUN --mount=type=bind,from=build,source=/build/test/tasks,target=/tasks \
    node --disable-warning=ExperimentalWarning /tasks/compile-cache.ts /app && dmthin --version
ENV NODE_COMPILE_CACHE=/app/compile-cache NODE_COMPILE_CACHE_PORTABLE=1
# dead-man.sh runs the driver and resumes what it leaves suspended if it dies; tini adopts and reaps what is left of both,
# with -s also in a pod that shares its process namespace, where it is not process 1.
ENTRYPOINT ["tini", "-s", "--", "sh", "/app/dead-man.sh", "dmthin"]
CMD ["--help"]
LABEL org.opencontainers.image.title="dmthin" \
      org.opencontainers.image.description="CSI driver for thin-provisioned local volumes on the kernel's device-mapper" \
      org.opencontainers.image.licenses="Apache-2.0"
