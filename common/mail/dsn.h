#pragma once

/*
 * Dsn: the outcome of one delivery attempt for one recipient, as data (RFC 3463 and 3464). It is
 * what an agent answers, what qmgr logs and writes into the queue file, what mailq shows and what
 * a notice reports.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define DSN_TEXT_MAX  1024 /* bytes of diagnostic text */
#define DSN_RELAY_MAX 256
#define DSN_CODE_MAX  12 /* "5.999.999" */

/* Sent over IPC and stored: numbers never change. */
typedef enum DsnStatus {
        DSN_SENT = 1,     /* accepted for good: delivered, or handed to the next hop */
        DSN_DEFERRED = 2, /* not now; try again */
        DSN_BOUNCED = 3,  /* never; tell the sender */
} DsnStatus;

typedef struct Dsn {
        DsnStatus status;
        char code[DSN_CODE_MAX];   /* RFC 3463 "5.1.1", NUL-terminated */
        char text[DSN_TEXT_MAX];   /* for people; printable, one line, NUL-terminated */
        char relay[DSN_RELAY_MAX]; /* log's relay=: "local", "none", "host[addr]:port" */
} Dsn;

/* Set all of it. TEXT is printf-like; control bytes become '?'; too long is cut. RELAY "none". */
void dsn_set(Dsn *dsn, DsnStatus status, const char *code, const char *format, ...) _printf_(4, 5);

/* From slices that came over IPC or from a file. False when code or status are malformed. */
bool dsn_parse(Dsn *dsn, uint64_t status, Str code, Str text, Str relay);

/* Is CODE of the form class.subject.detail with class 2, 4 or 5 (RFC 3463)? */
bool dsn_code_is_valid(Str code);

/* "sent", "deferred", "bounced" */
const char *dsn_status_name(DsnStatus status);

/*
 * Does TEXT begin with an enhanced status code ("5.1.2 no such domain")? Then the code is split
 * off: *ret_code, *ret_rest. Else *ret_code is empty and *ret_rest is TEXT.
 */
void dsn_split(Str text, Str *ret_code, Str *ret_rest);
