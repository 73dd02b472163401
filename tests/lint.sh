#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a compiler does not see: formatting, directions of includes, leftovers.
set -u
cd "$(dirname "$0")/.."
status=0
complain() {
	echo "lint: $*"
	status=1
}

sources=$(git ls-files '*.c' '*.h')
# shellcheck disable=SC2086 # a list
clang-format-14 --dry-run -Werror $sources || complain "not formatted; run clang-format-14 -i"

# forbid FILES PATTERN MEANING: no file of the list may include a match. The log is everybody's.
forbid() {
	# shellcheck disable=SC2086 # a list
	found=$(git grep -nE "^#include *[<\"]$2" -- $1 | grep -v '"dataplane/log.h"') && complain "$3:
$found"
}
forbid 'classifiers exporters config dataplane/records' 'rte_' 'DPDK lives in dataplane only'
forbid 'classifiers' 'exporters/' 'classifiers must not know exporters'
forbid 'exporters' 'classifiers/' 'exporters must not know classifiers'
forbid 'config' '(dataplane/[a-z_]+\.h|classifiers/|exporters/)' 'config is a leaf'
forbid 'dataplane/records' '(dataplane/[a-z_]+\.h|classifiers/|exporters/|config/)' \
	'records depend on nothing'
forbid 'dataplane/*.c dataplane/*.h' '(classifiers/protocols/|exporters/(kafka|redis|file|state))' \
	'the dataplane names no classifier and no exporter'
# The packet path's core and its tests run without EAL.
forbid 'dataplane/flow*.[ch] dataplane/decode*.[ch] dataplane/plain*.[ch] dataplane/dedup.[ch] dataplane/fragment.[ch]
	dataplane/inspect*.[ch] dataplane/pipeline*.[ch] dataplane/tcp_stream.[ch] dataplane/watch.[ch]
	dataplane/capture.[ch] dataplane/pcapng.[ch]' 'rte_' \
	'the flow core is free of DPDK'

long=$(wc -l $sources | awk '$2 != "total" && $1 > 600 {print $2 ": " $1 " lines"}')
[ -z "$long" ] || complain "files over 600 lines:
$long"
left=$(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- ':!tests/lint.sh' ':!*.tsv') && complain "leftovers:
$left"
exit $status
