#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything the lab can say of a build: the checker's own test, a normal site, the same spread among
# workers, a hostile one.
# Usage: live_test.sh CAMSPAND|BUILD-DIRECTORY. Exit code 77: this machine cannot build the lab.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
camspand=${1:?camspand or build directory}
[ ! -d "$camspand" ] || camspand=$camspand/dataplane/camspand

skip() { echo "skipped: $*"; exit 77; }

[ "$(id -u)" = 0 ] || skip 'the live lab needs root for network namespaces'
"$here/lab.sh" check || skip 'this machine cannot build the live lab'
/usr/bin/python3 -B "$here/test_checker.py"
/usr/bin/python3 -B "$here/live_test.py" "$camspand"
/usr/bin/python3 -B "$here/live_test.py" "$camspand" --spread
/usr/bin/python3 -B "$here/live_test.py" "$camspand" --hostile
