#!/usr/bin/env bash
# Installs the programs that tests need beside Python: Debian's packages, where that is allowed.
# What can't be installed is named; the tests that need it then skip and say so.
set -euo pipefail

declare -A package=([cc]="gcc libc6-dev" [curl]=curl [openssl]=openssl [jq]=jq [xxd]=xxd [sqlite3]=sqlite3 [initdb]=postgresql [nats-server]=nats-server [patroni]=patroni [etcd]=etcd-server)

missing=()
for folder in /usr/lib/postgresql/*/bin /usr/sbin; do  # Debian keeps the server's programs off the path
    PATH=$PATH:$folder
done
for program in cc curl openssl jq xxd sqlite3 initdb nats-server patroni etcd; do
    command -v "$program" > /dev/null || missing+=("$program")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $EUID -ne 0 ]]; then
    if ! sudo -n true 2> /dev/null; then
        echo "Not installed, and nobody here may install packages: ${missing[*]}." \
            "The tests that need them are left out and say so."
        exit 0
    fi
    as_root=(sudo -n)
fi
if ! command -v apt-get > /dev/null; then
    echo "Not installed, and this is no Debian: ${missing[*]}." \
        "The tests that need them are left out and say so."
    exit 0
fi
packages=()
for program in "${missing[@]}"; do
    read -ra names <<< "${package[$program]}"
    packages+=("${names[@]}")
done
echo "Installing ${packages[*]}, which tests need"
if [[ " ${missing[*]} " == *" initdb "* && ! -e /etc/postgresql-common ]]; then
    # The tests start servers of their own, so the package need not make and start one.
    "${as_root[@]}" install -d -m 755 /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" \
        | "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/deconflict-tests.conf > /dev/null
fi
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y)
"${install[@]}" update > /dev/null || true  # what can't be had shows below, by name
if ! "${install[@]}" install --no-install-recommends "${packages[@]}" > /dev/null 2>&1; then
    for program in "${missing[@]}"; do  # one that can't be had keeps none of the others away
        read -ra names <<< "${package[$program]}"
        "${install[@]}" install --no-install-recommends "${names[@]}" > /dev/null || true
        command -v "$program" > /dev/null \
            || ls /usr/lib/postgresql/*/bin/"$program" > /dev/null 2>&1 \
            || echo "Could not be installed: $program. The tests that need it are left out and say so."
    done
fi
# The tests start their servers themselves; the packages' own services are not wanted.
for service in etcd patroni nats-server; do
    if [[ " ${missing[*]} " == *" $service "* && -d /run/systemd/system ]]; then
        "${as_root[@]}" systemctl disable --now --quiet "$service" 2> /dev/null \
            || echo "Stop the service $service yourself if it runs: no test needs it."
    fi
done
