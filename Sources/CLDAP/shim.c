#define _GNU_SOURCE
#include "CLDAP.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

int cldap_set_int(LDAP *ld, int option, int value) { return ldap_set_option(ld, option, &value); }

int cldap_set_off(LDAP *ld, int option) { return ldap_set_option(ld, option, LDAP_OPT_OFF); }

int cldap_set_text(LDAP *ld, int option, const char *value) { return ldap_set_option(ld, option, value); }

int cldap_set_timeout(LDAP *ld, int option, long microseconds) {
    struct timeval time = {microseconds / 1000000, microseconds % 1000000};
    return ldap_set_option(ld, option, &time);
}

int cldap_socket(LDAP *ld) {
    int descriptor = -1;
    if (ldap_get_option(ld, LDAP_OPT_DESC, &descriptor) != LDAP_OPT_SUCCESS) return -1;
    return descriptor;
}

int cldap_set_nonblocking(LDAP *ld) {
    int descriptor = cldap_socket(ld);
    int flags = descriptor < 0 ? -1 : fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int cldap_result_code(LDAP *ld) {
    int code = LDAP_OTHER;
    ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &code);
    return code;
}

char *cldap_diagnostic(LDAP *ld) {
    char *text = NULL;
    ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    return text;
}

int cldap_peer_certificate(LDAP *ld, struct berval *value) {
#ifdef LDAP_OPT_X_TLS_PEERCERT
    return ldap_get_option(ld, LDAP_OPT_X_TLS_PEERCERT, value);
#else
    return LDAP_OPT_ERROR;
#endif
}

struct cldap_guard {
    struct ldap_conncb callbacks;
    pthread_mutex_t lock;
    int descriptor;
    int is_cut;
};

static void let_go(struct cldap_guard *guard) {
    if (guard->descriptor >= 0) close(guard->descriptor);
    guard->descriptor = -1;
}

static int opened(LDAP *ld, Sockbuf *buffer, LDAPURLDesc *url, struct sockaddr *address, struct ldap_conncb *callbacks) {
    struct cldap_guard *guard = callbacks->lc_arg;
    int descriptor = -1;
    ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &descriptor);
    pthread_mutex_lock(&guard->lock);
    let_go(guard);
    if (descriptor >= 0) guard->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (guard->is_cut && guard->descriptor >= 0) shutdown(guard->descriptor, SHUT_RDWR);
    pthread_mutex_unlock(&guard->lock);
    return 0;
}

static void closing(LDAP *ld, Sockbuf *buffer, struct ldap_conncb *callbacks) { cldap_guard_end(callbacks->lc_arg); }

struct cldap_guard *cldap_guard_new(LDAP *ld) {
    struct cldap_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL) return NULL;
    guard->callbacks = (struct ldap_conncb){opened, closing, guard};
    guard->descriptor = -1;
    pthread_mutex_init(&guard->lock, NULL);
    ldap_set_option(ld, LDAP_OPT_CONNECT_CB, &guard->callbacks);
    return guard;
}

void cldap_guard_cut(struct cldap_guard *guard) {
    pthread_mutex_lock(&guard->lock);
    guard->is_cut = 1;
    if (guard->descriptor >= 0) shutdown(guard->descriptor, SHUT_RDWR);
    pthread_mutex_unlock(&guard->lock);
}

void cldap_guard_end(struct cldap_guard *guard) {
    pthread_mutex_lock(&guard->lock);
    let_go(guard);
    pthread_mutex_unlock(&guard->lock);
}

void cldap_guard_free(struct cldap_guard *guard) {
    let_go(guard);
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

int cldap_bind_simple(LDAP *ld, const char *name, const char *password, unsigned long length) {
    struct berval credentials = {length, (char *)password};
    return ldap_sasl_bind_s(ld, name, LDAP_SASL_SIMPLE, &credentials, NULL, NULL, NULL);
}

int cldap_bind_external(LDAP *ld) {
    struct berval credentials = {0, ""};
    return ldap_sasl_bind_s(ld, NULL, "EXTERNAL", &credentials, NULL, NULL, NULL);
}

int cldap_next_answer(LDAP *ld, long microseconds, LDAPMessage **message) {
    struct timeval time = {microseconds / 1000000, microseconds % 1000000};
    *message = NULL;
    return ldap_result(ld, LDAP_RES_ANY, LDAP_MSG_ALL, &time, message);
}

int cldap_wake_open(int ends[2]) {
#ifdef __linux__
    ends[0] = ends[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return ends[0] < 0 ? -1 : 0;
#else
    if (pipe(ends) < 0) return -1;
    for (int index = 0; index < 2; index++) {
        fcntl(ends[index], F_SETFL, O_NONBLOCK);
        fcntl(ends[index], F_SETFD, FD_CLOEXEC);
    }
    return 0;
#endif
}

struct start {
    void (*body)(void *);
    void *argument;
};

static void *run(void *pointer) {
    struct start start = *(struct start *)pointer;
    free(pointer);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    start.body(start.argument);
    return NULL;
}

int cldap_start_thread(void (*body)(void *), void *argument) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return ENOMEM;
    *start = (struct start){body, argument};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int code = pthread_create(&thread, &attributes, run, start);
    pthread_attr_destroy(&attributes);
    if (code != 0) free(start);
    return code;
}
