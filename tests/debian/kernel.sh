#!/bin/sh
# Adds Debian's kernel without drivers for real hardware to the tree whose folder is the argument. It is
# unpacked, not installed: the package would bring a tool that makes another first stage of the boot.
set -e
cd "$1"
image=$(chroot . apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')
chroot . sh -c "cd /tmp && apt-get -qq download $image" >&2
# Not to /, where /lib is a link.
dpkg-deb -x tmp/linux-image-*.deb tmp/kernel
mv tmp/kernel/boot/* boot
mv tmp/kernel/lib/modules usr/lib
rm -r tmp/kernel tmp/linux-image-*.deb
chroot . depmod "${image#linux-image-}"
