# The image of dmthin: `docker build -t dmthin .`, for x86-64 and arm64.

FROM debian:trixie-slim AS build
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends binutils ca-certificates libatomic1 npm
WORKDIR /build
# First what changes seldom: the dependencies are a layer of their own.
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build
# What the program needs at run time: the bundle, the protocols, one native library, and the project's own Node.
RUN set -eu; \
    arch="$(node -p process.arch)"; \
    mkdir -p /out/app/node_modules/koffi/src/koffi/src /out/app/node_modules/@koromix /out/usr/local/bin; \
    cp -r dist/. LICENSE /out/app/; \
    rm -f /out/app/*.map; \
    cp "node_modules/node-linux-$arch/bin/node" /out/usr/local/bin/; \
    strip --strip-unneeded /out/usr/local/bin/node; \
    (cd node_modules/koffi && cp package.json LICENSE.txt index.js /out/app/node_modules/koffi/ \
        && cp src/koffi/index.js /out/app/node_modules/koffi/src/koffi/ && cp src/koffi/src/static.js /out/app/node_modules/koffi/src/koffi/src/); \
    cp -r "node_modules/@koromix/koffi-linux-$arch" /out/app/node_modules/@koromix/; \
    ln -s /app/main.js /out/usr/local/bin/dmthin; \
    PATH="/out/usr/local/bin:$PATH" /out/app/main.js --version

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
# dead-man.sh runs the driver and resumes what it leaves suspended if it dies; tini adopts and reaps what is left of both,
# with -s also in a pod that shares its process namespace, where it is not process 1.
ENTRYPOINT ["tini", "-s", "--", "sh", "/app/dead-man.sh", "dmthin"]
CMD ["--help"]
LABEL org.opencontainers.image.title="dmthin" \
      org.opencontainers.image.description="CSI driver for thin-provisioned local volumes on the kernel's device-mapper" \
      org.opencontainers.image.licenses="Apache-2.0"
