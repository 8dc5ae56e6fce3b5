// How the C library keeps memory, which Swift has no words for.

#include "memory_settings.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void memory_join_at_once(void) {
#ifdef __GLIBC__
    mallopt(M_MXFAST, 0);
#endif
}
