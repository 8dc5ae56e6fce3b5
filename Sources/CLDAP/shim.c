#define _GNU_SOURCE
#include "CLDAP.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
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
