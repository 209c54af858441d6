#!/bin/bash
# stock-cksumvfs.sh DIR: makes DIR/cksumvfs.so, SQLite's own checksum VFS as a loadable extension, from Debian's source of sqlite3.
#
# The source is fetched once with apt-get, into lists of its own (apt checks its signature), and what is there already is not made again.
set -euo pipefail
dir=$(mkdir -p "${1:?usage: stock-cksumvfs.sh DIR}" && cd "$1" && pwd)
if [ -e "$dir/cksumvfs.so" ]; then exit 0; fi
command -v apt-get >/dev/null || { echo "stock-cksumvfs: no apt-get here to fetch the source of sqlite3 with" >&2; exit 1; }
work=$(mktemp -d "$dir/.cksumvfs-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/sources"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  case $file in
    *.sources) sed 's/^Types: deb$/Types: deb-src/' "$file" > "$work/sources/${file##*/}" ;;
    *.list) if [ -e "$file" ]; then sed -n 's/^deb /deb-src /p' "$file" > "$work/sources/${file##*/}"; fi ;;
  esac
done
apt=(-qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/sources" -o "Dir::State::lists=$work/lists"
     -o "Dir::Cache::srcpkgcache=$work/srcpkgcache" -o "Dir::Cache::pkgcache=$work/pkgcache" -o APT::Sandbox::User=root)
echo "stock-cksumvfs: making SQLite's cksumvfs"
cd "$work"
timeout 120 apt-get "${apt[@]}" update
timeout 120 apt-get "${apt[@]}" source --download-only sqlite3
tar -xf sqlite3_*.orig.tar.* --wildcards '*/ext/misc/cksumvfs.c' --strip-components 3
"${STOCK_CC:-cc}" -w -O1 -fPIC -shared -o cksumvfs.so cksumvfs.c
mv cksumvfs.so "$dir/"
