// libldap as Swift can see it: what the headers of OpenLDAP have as macros with casts, as variadic or untyped arguments,
// or as structures whose fields matter, has a typed function here. Every call is as confined to its handle as libldap's.

#ifndef CLDAP_H
#define CLDAP_H

#include <lber.h>
#include <ldap.h>

enum {
    CLDAP_SCOPE_BASE = 0,
    CLDAP_SCOPE_ONE = 1,
    CLDAP_SCOPE_SUBTREE = 2,
    // Types of a message that ldap_result may give.
    CLDAP_BIND = 0x61,
    CLDAP_ENTRY = 0x64,
    CLDAP_DONE = 0x65,
    CLDAP_REFERENCE = 0x73,
    CLDAP_MODIFIED = 0x67,
    CLDAP_ADDED = 0x69,
    CLDAP_DELETED = 0x6b,
};

int cldap_set_int(LDAP *ld, int option, int value);
// Switches an option off (`LDAP_OPT_OFF`), such as referrals.
int cldap_set_off(LDAP *ld, int option);
int cldap_set_text(LDAP *ld, int option, const char *value);
int cldap_set_timeout(LDAP *ld, int option, long microseconds);

// The socket, or -1.
int cldap_socket(LDAP *ld);
// Makes the connected socket non-blocking, so that a message that comes in pieces can't hold up its reader.
int cldap_set_nonblocking(LDAP *ld);
int cldap_result_code(LDAP *ld);
// What the server said of the last error; to be freed with ldap_memfree; NULL when it said nothing.
char *cldap_diagnostic(LDAP *ld);

// The certificate that the server has shown, in DER; it is the connection's own and must not be freed.
int cldap_peer_certificate(LDAP *ld, struct berval *value);

// Ends the opening of a connection from another thread: a TLS handshake has no time-out of libldap's own. It holds the
// socket by a descriptor of its own, so that it never touches another's. To be freed after the LDAP * is.
struct cldap_guard;
struct cldap_guard *cldap_guard_new(LDAP *ld);
// Shuts the socket down, and any that is still opened.
void cldap_guard_cut(struct cldap_guard *guard);
// Lets go of the socket: it is open now, or there is none.
void cldap_guard_end(struct cldap_guard *guard);
void cldap_guard_free(struct cldap_guard *guard);

// Binds and waits, no longer than LDAP_OPT_TIMEOUT.
int cldap_bind_simple(LDAP *ld, const char *name, const char *password, unsigned long length);
int cldap_bind_external(LDAP *ld);

// The next complete answer that has arrived or arrives in this time: its type, 0 for none, -1 for an error.
int cldap_next_answer(LDAP *ld, long microseconds, LDAPMessage **message);


// A descriptor that wakes a poll(2): both ends may be the same. Returns 0, or -1 with errno.
int cldap_wake_open(int ends[2]);

// Starts a thread that nobody joins and that no broken pipe can kill: liblber writes to sockets that the server may have
// closed. Returns 0 or an error number.
int cldap_start_thread(void (*body)(void *), void *argument);

#endif
