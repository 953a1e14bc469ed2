#pragma once

/*
 * What travels beside a message's content: sender, where it came from, and recipients with their
 * DSN wishes (RFC 3461). Plain data. The slices point into memory of whoever filled the struct
 * (a reader, a decoded IPC message) and live as long as that.
 *
 * Addresses are in their internal form: no angle brackets, quoting as in the SMTP path
 * ("john doe"@example.org keeps its quotes). An empty sender is the null reverse-path (RFC 5321
 * 4.5.5).
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/str.h"

#define ENVELOPE_ADDRESS_MAX \
        2048                   /* bytes; an SMTP path is at most 256, a local alias may be more */
#define ENVELOPE_TEXT_MAX 1024 /* full name, envid, client attributes */
#define ENVELOPE_NO_UID   UINT32_MAX

/* Envelope.flags: what is known of the message. Stored in queue files: numbers never change. */
enum {
        ENVELOPE_8BITMIME = 1 << 0,     /* BODY=8BITMIME was declared */
        ENVELOPE_SMTPUTF8 = 1 << 1,     /* SMTPUTF8 was asked for */
        ENVELOPE_LOCAL_ORIGIN = 1 << 2, /* submitted by sendmail(1) on this machine */
        ENVELOPE_NOTICE = 1 << 3,       /* made by bounce: never answered by another notice */
        ENVELOPE_FORWARDED = 1 << 4, /* sent on by local: its automatic copies were made before */
        ENVELOPE_FLAGS_ALL = (1 << 5) - 1,
};

/* Envelope.ret, RFC 3461 4.3. Stored in queue files. */
typedef enum EnvelopeRet {
        ENVELOPE_RET_NONE = 0,
        ENVELOPE_RET_HDRS = 1,
        ENVELOPE_RET_FULL = 2,
} EnvelopeRet;

/* Recipient.notify, RFC 3461 4.1: a set; 0 means that the parameter was not given. */
enum {
        RECIPIENT_NOTIFY_NEVER = 1 << 0,
        RECIPIENT_NOTIFY_SUCCESS = 1 << 1,
        RECIPIENT_NOTIFY_FAILURE = 1 << 2,
        RECIPIENT_NOTIFY_DELAY = 1 << 3,
        RECIPIENT_NOTIFY_ALL = (1 << 4) - 1,
};

typedef struct Envelope {
        usec_t arrival_usec; /* wall clock, when the first byte was taken by us */
        Str queue_id;        /* proposed by who hands the message over; empty: cleanup chooses.
                              * Not stored: a queue file's name is its ID. */
        Str sender;          /* <= ENVELOPE_ADDRESS_MAX */
        Str full_name;       /* of a local sender, for a missing From: */
        Str envid;           /* RFC 3461 ENVID, still xtext-encoded */
        uint32_t uid;        /* local submitter, ENVELOPE_NO_UID when not local */
        uint32_t flags;      /* ENVELOPE_* */
        EnvelopeRet ret;
} Envelope;

typedef struct Recipient {
        Str address;     /* where it goes now */
        Str original;    /* as submitted, before aliases; equals address or is empty */
        Str orcpt;       /* RFC 3461 ORCPT "type;xtext", or empty */
        uint32_t notify; /* RECIPIENT_NOTIFY_* */
} Recipient;
