# The two mail servers that against-peers measures: had from Debian, set up and started here.
# Sourced by against-peers, which provides say, die, start and the variables $work, $cache and $database.
# Nothing is installed: Debian lets only one mail server be installed, so both are unpacked beside each other.
#
# What is chosen, so that neither peer does more than answer RCPT: no DNS, no TLS, no client limits, no delays after
# errors, no limit on recipients or errors in a session, no log line for a refused recipient (Exim) or a log that goes
# to /dev/null (Postfix has no switch for it), no queue file while recipients are asked.

# --- packages -------------------------------------------------------------------------------------------------------

# download PACKAGE...: leaves the .deb files in the current folder; refreshes apt's lists once if it must.
download() {
    apt-get -q download "$@" >>"$work/apt.log" 2>&1 && return
    apt-get -q update >>"$work/apt.log" 2>&1 || true
    apt-get -q download "$@" >>"$work/apt.log" 2>&1 ||
        die "could not download $*: $(tail -n 1 "$work/apt.log")"
}

# Libraries that PACKAGE... would bring and that this system lacks. Upgrades of what is installed ("[old] (new)") are
# left out: a second libc or OpenSSL beside the system's own would break more than it mends.
missing_libraries() {
    apt-get -q --simulate --no-install-recommends install "$@" 2>>"$work/apt.log" |
        awk '$1 == "Inst" && $2 ~ /^lib/ && $3 ~ /^\(/ { print $2 }'
}

# fetch_once NAME PACKAGE...: the packages and the libraries they lack, kept in the cache folder for the next run.
fetch_once() {
    local name=$1 libraries
    shift
    local debs=$cache/$(. /etc/os-release && echo "${VERSION_CODENAME:-debian}")-$(dpkg --print-architecture)/$name
    if [[ ! -e $debs/complete ]]; then
        say "downloading $* (once, to $debs)"
        rm -rf "$debs"
        mkdir -p "$debs"
        cd "$debs"
        download "$@"
        libraries=$(missing_libraries "$@") || die "apt-get cannot work out what $* need; see $work/apt.log"
        # shellcheck disable=SC2086  # one word a package
        [[ -z $libraries ]] || download $libraries
        touch complete
        cd "$OLDPWD"
    fi
    unpack "$name" "$debs"
}

# Unpacked into the run's own folder, not the cache: the servers drop to users of their own, who cannot enter a home.
unpack() {
    local deb
    mkdir -p "$work/$1/root"
    for deb in "$2"/*.deb; do dpkg -x "$deb" "$work/$1/root"; done
    # Exim comes setuid root. Here root starts it, and a stray setuid program helps nobody.
    find "$work/$1/root" -type f -perm /6000 -exec chmod ug-s {} +
}

# library_path NAME: where its unpacked shared libraries are, for LD_LIBRARY_PATH.
library_path() {
    find "$work/$1/root" -name '*.so*' -printf '%h\n' | sort -u | paste -s -d:
}

# require_libraries NAME PROGRAM: a clear message now, and not a server that never comes up.
require_libraries() {
    local lacking
    lacking=$(LD_LIBRARY_PATH=$(library_path "$1") ldd "$2" | awk '/not found/ { print $1 }')
    [[ -z $lacking ]] || die "$1 lacks the libraries $(echo $lacking); remove $cache and run again"
}

version_of() {
    local deb
    deb=$(find "$cache" -name "$1_*.deb" -print -quit)
    dpkg-deb --field "$deb" Version
}

# Both programs look their users up by name at start, and neither runs as root or as anyone else.
ensure_user() {
    getent passwd "$1" >/dev/null && return
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$1" ||
        die "could not create the system user $1"
    say "created the system user $1, which Debian's package would create too (it stays)"
}

ensure_group() {
    getent group "$1" >/dev/null && return
    groupadd --system "$1" || die "could not create the system group $1"
    say "created the system group $1, which Debian's package would create too (it stays)"
}

# --- Exim -----------------------------------------------------------------------------------------------------------

# The lookup stands in the ACL itself: no slower than `verify = recipient`, which routes each address as well.
# smtp_enforce_sync = false lets a client keep many questions in flight without regard to their replies.
exim_configuration() {
    cat <<END
primary_hostname = exim.example.org
spool_directory = $work/exim/spool
log_file_path = $work/exim/log/%slog
pid_file_path = $work/exim/exim.pid
notifier_socket =
keep_environment =
log_selector = -all
write_rejectlog = false
queue_only = true
local_interfaces = 127.0.0.1
daemon_smtp_ports = $1
smtp_connect_backlog = 1024
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_nonmail = 2000000000
smtp_max_unknown_commands = 2000000000
smtp_max_synprot_errors = 2000000000
recipients_max = 0
smtp_enforce_sync = false
smtp_check_spool_space = false
pipelining_advertise_hosts = *
chunking_advertise_hosts =
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = check_rcpt

begin acl
check_rcpt:
  accept domains = example.org
         condition = \${lookup sqlite,file=$database \
             {SELECT 1 FROM users WHERE address = '\${quote_sqlite:\$local_part}@\${quote_sqlite:\$domain}'}{yes}{no}}
  deny   message = No such user here
         log_reject_target =
END
}

# start_exim PORT
start_exim() {
    fetch_once exim exim4-daemon-heavy
    ensure_user Debian-exim
    local program=$work/exim/root/usr/sbin/exim4
    require_libraries exim "$program"
    mkdir -p "$work/exim/spool" "$work/exim/log"
    chown -R Debian-exim: "$work/exim/spool" "$work/exim/log"
    exim_configuration "$1" >"$work/exim/exim.conf"
    start Exim "$1" env LD_LIBRARY_PATH="$(library_path exim)" "$program" -C "$work/exim/exim.conf" -bdf
}

# --- Postfix --------------------------------------------------------------------------------------------------------

# speed_adjust means that smtpd keeps the recipients to itself until the end of DATA, which never comes here. Without
# it each transaction takes a cleanup process and a queue file, which costs up to a third of the rate, and
# in_flow_delay holds each of them for a second, because nothing here drains the queue.
# postfix_main NAME TABLE
postfix_main() {
    local root=$work/postfix/root
    cat <<END
compatibility_level = 3.6
queue_directory = $work/$1/spool
data_directory = $work/$1/data
command_directory = $root/usr/sbin
daemon_directory = $root/usr/lib/postfix/sbin
shlib_directory = $root/usr/lib/postfix
meta_directory = $work/$1/etc
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG LD_LIBRARY_PATH=$(library_path postfix)
maillog_file = /dev/null
maillog_file_prefixes = /dev
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example.org
mydestination = example.org
local_recipient_maps = $2
alias_maps =
virtual_alias_maps =
canonical_maps =
relocated_maps =
transport_maps =
recipient_delimiter =
unknown_local_recipient_reject_code = 550
smtpd_peername_lookup = no
smtpd_delay_reject = no
smtpd_client_restrictions =
smtpd_helo_restrictions =
smtpd_sender_restrictions =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_reject_unlisted_sender = no
smtpd_recipient_limit = 2000000000
smtpd_recipient_overshoot_limit = 2000000000
smtpd_soft_error_limit = 2000000000
smtpd_hard_error_limit = 2000000000
smtpd_junk_command_limit = 2000000000
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_client_event_limit_exceptions = static:all
smtpd_proxy_filter = 127.0.0.1:9
smtpd_proxy_options = speed_adjust
default_process_limit = 1000
END
}

# Only what answering RCPT takes: the session, the address rewriter that it asks three times a recipient, the log.
postfix_master() {
    cat <<END
127.0.0.1:$1 inet n - n - - smtpd
rewrite unix - - n - - trivial-rewrite
postlog unix-dgram n - n - 1 postlogd
END
}

# The folders that Debian's package and `postfix check` would make, with the owners that master insists on.
# postfix_folders NAME
postfix_folders() {
    local spool=$work/$1/spool
    mkdir -p "$work/$1/etc" "$work/$1/data" "$spool"/{pid,private,public,incoming,active,maildrop}
    chown postfix "$work/$1/data" "$spool"/{private,incoming,active}
    chmod 700 "$work/$1/data" "$spool"/{private,incoming,active}
    chown postfix:postdrop "$spool"/{public,maildrop}
    chmod 710 "$spool/public"
    chmod 730 "$spool/maildrop"
}

# start_postfix NAME PORT TABLE: one of two, which differ in nothing but the table of their recipients.
start_postfix() {
    local etc=$work/$1/etc root=$work/postfix/root/usr/lib/postfix
    if [[ ! -e $root ]]; then
        fetch_once postfix postfix postfix-sqlite
        ensure_user postfix
        ensure_group postdrop
        require_libraries postfix "$root/sbin/smtpd"
    fi
    postfix_folders "$1"
    postfix_main "$1" "$3" >"$etc/main.cf"
    postfix_master "$2" >"$etc/master.cf"
    echo "sqlite $root/postfix-sqlite.so dict_sqlite_open" >"$etc/dynamicmaps.cf"
    printf '%s\n' "dbpath = $database" "query = SELECT address FROM users WHERE address = '%s'" >"$etc/users.cf"
    start "Postfix-$1" "$2" env LD_LIBRARY_PATH="$(library_path postfix)" "$root/sbin/master" -c "$etc" -d
}

# start_postfix_alone PORT
start_postfix_alone() { start_postfix postfix "$1" "sqlite:$work/postfix/etc/users.cf"; }

# start_postfix_asking PORT: Addressee is there already.
start_postfix_asking() {
    start_postfix postfix-addressee "$1" "socketmap:unix:$work/addressee/maps:recipients"
}
