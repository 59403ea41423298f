#!/usr/bin/env bash
# System packages on Debian and Ubuntu, for tests alone: chromium for the pages, dicom3tools and
# dcmtk to check DICOM results, Orthanc as the archive beside the node, PostgreSQL for the reader,
# pango for PDFs.
set -euo pipefail
programs=(chromium dciodvfy dsrdump Orthanc pdftotext pg_ctlcluster)
packages=(
  chromium fonts-dejavu-core dicom3tools dcmtk orthanc orthanc-dicomweb poppler-utils
  postgresql
  libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
)
missing=0
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || missing=1
done
if [ "$missing" = 0 ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "apt-deps: no apt-get here; install ${programs[*]} yourself for the tests" >&2
  exit 0
fi
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
