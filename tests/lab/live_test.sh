#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything the lab can say of a build: the checker's own test, a normal site, a hostile one.
# Usage: live_test.sh BUILD-DIRECTORY. Needs root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
camspand=${1:?build directory}/dataplane/camspand
/usr/bin/python3 -B "$here/test_checker.py"
/usr/bin/python3 -B "$here/live_test.py" "$camspand"
/usr/bin/python3 -B "$here/live_test.py" "$camspand" --hostile
