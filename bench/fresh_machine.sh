#!/bin/sh
# R18 at full size: a bare Debian or Ubuntu in a folder, this checkout in it, and script/setup.
#
#     sudo bench/fresh_machine.sh [bookworm|trixie|noble] [MIRROR]
#
# Prints what the doctor says before and after the system packages are there. Needs root,
# debootstrap, the network and 8 GB below $TMPDIR. What this machine needs to reach the network
# (resolver, certificates, pip's and uv's settings) is copied.
set -eu
suite=${1:-bookworm}
mirror=${2:-}
repo=$(cd -- "$(dirname -- "$0")/.." && pwd -P)
root=$(mktemp -d)
chmod 755 "$root"
trap 'umount -l "$root/proc" "$root/dev" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$root" \
    ${mirror:+"$mirror"} >"$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
rm -rf "$root/etc/ssl/certs"
cp -rL /etc/ssl/certs "$root/etc/ssl/certs"
for file in /etc/pip.conf /etc/uv /root/.config/pip /root/.config/uv; do
    [ ! -e "$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -r "$file" "$root$file"; }
done
git clone --quiet "$repo" "$root/segstudio"

inside() { chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt sh -c "cd /segstudio && $1"; }

# Nobody but root may install packages, so another user's setup leaves them missing.
inside 'useradd --create-home visitor && chown -R visitor . &&
    su visitor -c "HOME=~visitor script/setup"'
echo "--- before the system packages"
inside '.venv/bin/segstudio doctor' || echo "exit code $?"
inside 'script/setup'
echo "--- after"
inside '.venv/bin/segstudio doctor'
