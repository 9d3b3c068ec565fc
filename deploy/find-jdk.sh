# Sourced: sets JAVA_HOME to a JDK 25 or newer, looking at JAVA_HOME, the PATH and the usual folders.
moebius_is_jdk() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  major=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [ -n "$major" ] && [ "$major" -ge 25 ]
}

moebius_find_jdk() {
  on_path=$(command -v javac 2>/dev/null) && on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for candidate in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
    if [ -n "$candidate" ] && moebius_is_jdk "$candidate"; then
      JAVA_HOME=$candidate
      export JAVA_HOME
      return 0
    fi
  done
  echo "moebius: needs a JDK 25; none found in JAVA_HOME, on the PATH, in /usr/lib/jvm, ~/.sdkman or ~/.jdks (Temurin: https://adoptium.net)" >&2
  return 1
}

moebius_find_jdk || exit 1
