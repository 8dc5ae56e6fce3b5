// What slapd gives to a lean client: equality searches for names of a file over one connection, so many in flight, with
// libldap's asynchronous calls and nothing else. It is a yardstick, not a ceiling: how a client spaces its searches
// changes what slapd does for each.
// usage: ldap-searches URI DN PASSWORD BASE FILTER NAMES IN-FLIGHT SECONDS [BATCH]
// At least BATCH answers (1 without it) are taken before as many searches are sent: how many slapd finds when it is woken.
// In FILTER, %s is the name: (mail=%s). Names are drawn at random; the seed is fixed, so that runs compare.
#include <lber.h>
#include <ldap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IDS = 65536, BINS = 4096, LINE = 512 };

static char **names;
static size_t count;
// When the search of a message id was sent, by the id's low bits: far fewer are in flight than there are places.
static int64_t sent[IDS];
// Latencies in bins of 16 µs, the last of which holds the rest.
static uint64_t bins[BINS];

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what, int code) {
    fprintf(stderr, "ldap-searches: %s: %s\n", what, ldap_err2string(code));
    exit(1);
}

static void readNames(const char *path) {
    FILE *file = fopen(path, "r");
    char line[LINE];
    size_t room = 0;
    if (!file) {
        perror(path);
        exit(66);
    }
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (count == room) names = realloc(names, (room = room ? room * 2 : 1024) * sizeof *names);
        if (!names || !(names[count++] = strdup(line))) exit(71);
    }
    fclose(file);
    if (count == 0) {
        fprintf(stderr, "ldap-searches: %s is empty\n", path);
        exit(65);
    }
}

// xorshift64: fast, and even enough to draw names.
static size_t drawn(void) {
    static uint64_t state = 5321;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % count;
}

static void ask(LDAP *ld, const char *base, const char *filter) {
    static char *wanted[] = {"mail", "uid", "cn", "displayName", "objectClass", NULL};
    char text[4 * LINE], *out = text;
    const char *name = names[drawn()];
    // snprintf would take the filter for a format.
    for (const char *in = filter; *in; in++) {
        if (in[0] == '%' && in[1] == 's') {
            size_t length = strlen(name);
            if (out + length + strlen(in) >= text + sizeof text) exit(64);
            memcpy(out, name, length);
            out += length;
            in++;
        } else {
            *out++ = *in;
        }
    }
    *out = 0;
    int id, code = ldap_search_ext(ld, base, LDAP_SCOPE_SUBTREE, text, wanted, 0, NULL, NULL, NULL, 0, &id);
    if (code != LDAP_SUCCESS) fail("search", code);
    sent[id % IDS] = now();
}

static double quantile(uint64_t all, double share) {
    uint64_t seen = 0;
    for (int bin = 0; bin < BINS; bin++) {
        seen += bins[bin];
        if (seen >= share * all) return bin * 16 + 8;
    }
    return BINS * 16;
}

int main(int argc, char **argv) {
    int batch = argc == 10 ? atoi(argv[9]) : 1;
    if ((argc != 9 && argc != 10) || atoi(argv[7]) < 1 || batch < 1 || batch > atoi(argv[7])) {
        fprintf(stderr, "usage: ldap-searches URI DN PASSWORD BASE FILTER NAMES IN-FLIGHT SECONDS [BATCH]\n");
        return 64;
    }
    const char *base = argv[4], *filter = argv[5];
    int inFlight = atoi(argv[7]), version = LDAP_VERSION3;
    int64_t length = (int64_t)(atof(argv[8]) * 1e9);
    readNames(argv[6]);
    LDAP *ld;
    int code = ldap_initialize(&ld, argv[1]);
    if (code != LDAP_SUCCESS) fail(argv[1], code);
    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    struct berval password = {strlen(argv[3]), argv[3]};
    code = ldap_sasl_bind_s(ld, argv[2], LDAP_SASL_SIMPLE, &password, NULL, NULL, NULL);
    if (code != LDAP_SUCCESS) fail("bind", code);

    uint64_t found = 0, absent = 0, failed = 0;
    for (int index = 0; index < inFlight; index++) ask(ld, base, filter);
    // What comes in the first second is not counted: caches fill, and cores change their speed.
    int64_t start = now() + 1000000000LL, end = start + length, time;
    do {
        struct timeval none = {0, 0};
        LDAPMessage *message;
        int taken = 0, type;
        // So many are waited for, the rest only taken.
        while ((type = ldap_result(ld, LDAP_RES_ANY, LDAP_MSG_ALL, taken < batch ? NULL : &none, &message)) > 0) {
            time = now();
            taken++;
            int id = ldap_msgid(message), result = LDAP_OTHER;
            int entries = ldap_count_entries(ld, message);
            for (LDAPMessage *part = ldap_first_message(ld, message); part; part = ldap_next_message(ld, part)) {
                if (ldap_msgtype(part) == LDAP_RES_SEARCH_RESULT)
                    ldap_parse_result(ld, part, &result, NULL, NULL, NULL, NULL, 0);
            }
            ldap_msgfree(message);
            if (time >= start && time < end) {
                int64_t bin = (time - sent[id % IDS]) / 16000;
                bins[bin < BINS ? bin : BINS - 1]++;
                if (result != LDAP_SUCCESS) failed++;
                else if (entries > 0) found++;
                else absent++;
            }
            if (taken == inFlight) break;
        }
        if (type < 0) fail("answer", LDAP_SERVER_DOWN);
        for (int index = 0; index < taken; index++) ask(ld, base, filter);
    } while (time < end);
    uint64_t all = found + absent + failed;
    // In the form of `addressee bench`, so that whoever reads that reads this.
    printf("{\"rate\":%.0f,\"p50\":%.0f,\"p99\":%.0f,\"replies\":{\"250\":%llu,\"550\":%llu,\"451\":%llu}}\n",
           all / (length / 1e9), quantile(all, 0.5), quantile(all, 0.99), (unsigned long long)found,
           (unsigned long long)absent, (unsigned long long)failed);
    return 0;
}
