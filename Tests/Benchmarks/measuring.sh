# What the benchmarks share: processes in groups of their own that end with the script, a build of Addressee, and one
# measurement with `addressee bench`. Sourced; who sources it has `here`, and sets `work` to a folder of its own.

program=${0##*/}
work=''
keep=no
groups=() # process groups that are ours to end

say() { echo "$program: $*" >&2; }
die() {
    say "$*"
    exit 1
}

clean_up() {
    local status=$? group
    trap - EXIT INT TERM
    # Each server was started with setsid, so its group is its own and its children.
    for group in ${groups[@]+"${groups[@]}"}; do kill -TERM -- "-$group" 2>/dev/null || true; done
    for group in ${groups[@]+"${groups[@]}"}; do
        wait_until 3 group_is_gone "$group" || kill -KILL -- "-$group" 2>/dev/null || true
    done
    if [[ -n $work && $keep == yes ]]; then say "kept $work"; elif [[ -n $work ]]; then rm -rf "$work"; fi
    exit "$status"
}

group_is_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

# wait_until SECONDS COMMAND...
wait_until() {
    local tries=$(($1 * 10))
    shift
    until "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

greets() {
    local line=''
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
    read -r -t 2 line <&3 || true
    exec 3>&-
    [[ $line == 220* ]]
}

# start NAME PORT COMMAND...: in the background, in a group of its own, and waits for its greeting.
start() {
    local name=$1 port=$2 log=$work/${1,,}.out
    shift 2
    setsid "$@" >"$log" 2>&1 </dev/null &
    groups+=("$!")
    wait_until 20 greets "$port" || {
        tail -n 5 "$log" >&2
        die "$name does not answer on port $port"
    }
}

find_addressee() {
    if [[ -n ${ADDRESSEE:-} ]]; then
        [[ -x $ADDRESSEE ]] || die "ADDRESSEE=$ADDRESSEE is not a program"
        addressee=$(realpath "$ADDRESSEE")
        return
    fi
    command -v swift >/dev/null || die "swift is needed to build Addressee; or give ADDRESSEE=path"
    say "building a release"
    (cd "$here/../.." && swift build -c release --product addressee >&2) || die "the release build failed"
    addressee=$(cd "$here/../.." && swift build -c release --show-bin-path)/addressee
}

# ask PORT LOAD VERB NAMES [WIRE [RATE]]: one measurement of `seconds`, after `warm_up` seconds (1 unless set), as the JSON that
# `addressee bench` prints, on one line.
ask() {
    timeout --foreground $((seconds + 60)) "$addressee" bench --host "127.0.0.1:$1" \
        --connections "${2%x*}" --in-flight "${2#*x}" --seconds "$seconds" --warm-up "${warm_up:-1}" --verb "$3" --names "$4" \
        --wire "${5:-smtp}" ${6:+--rate "$6"} --json | tr -d '\n'
}

# free_port: the next one from `next_port` on that nobody listens on, left in `port`.
next_port=22525
free_port() {
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do next_port=$((next_port + 1)); done
    port=$next_port
    next_port=$((next_port + 1))
}

# field JSON KEY: a number out of it.
field() { sed -n "s/.*\"$2\" *: *\([0-9.]*\).*/\1/p" <<<"$1"; }

# A rate means nothing if the answers are wrong: of the directories, all and only 250 and 550, and 550 for one in ten; or
# what other wires have for the two.
# check_replies TITLE JSON
check_replies() {
    local replies
    replies=$(sed -n 's/.*"replies" *: *{\([^}]*\)}.*/\1/p' <<<"$2")
    awk -v RS=, -F: '{ gsub(/[^0-9A-Z]/, "", $1); sub(/^(OK|DUNNO)$/, 250, $1); sub(/^NOTFOUND$/, 550, $1)
        code[$1] += $2; all += $2 }
        END { exit !(all > 0 && code[250] + code[550] == all && code[550] > all / 20 && code[550] < all / 5) }' \
        <<<"$replies" || say "WARNING: $1: nine 250 to one 550 were due, not $replies"
}

# median FILE: its middle line, then the lowest and the highest rate. With one question in flight these lie far apart
# (whether client and server share a core decides), so the table shows them.
median() {
    sort -g "$1" | awk '{ line[NR] = $0; rate[NR] = $1 } END { print line[int((NR + 1) / 2)], rate[1], rate[NR] }'
}
