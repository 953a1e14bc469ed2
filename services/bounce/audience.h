#pragma once

/* Who is told of what: the table in bounce.h, with the classes that the admin wants copies of. */

#include "common/role/config.h"
#include "services/bounce/notice.h"

typedef enum Audience {
        AUDIENCE_SOMEBODY,   /* reader and recipient of the spec are set */
        AUDIENCE_NOBODY,     /* the message is from the null sender, or about to be forgotten */
        AUDIENCE_CHAIN_ENDS, /* the message was for the postmaster, and is given up */
} Audience;

/* Who gets the notice of SPEC (kind and file); OWNER, if any, in the place of the sender. */
Audience audience_choose(const Config *config, Str owner, NoticeSpec *spec);

/* Is the postmaster to have a copy of what sender or owner was told? Then SPEC is made for it. */
bool audience_add_copy(const Config *config, NoticeSpec *spec);
