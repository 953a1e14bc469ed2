#pragma once

/*
 * One recipient that qmgr gave us, while it is expanded and delivered. An alias or .forward can
 * lead to many destinations; each has an outcome and a line in the log of its own, but qmgr takes
 * one answer for all of them. So that none is lost, and as little as possible is done twice:
 *
 *   one destination             its outcome is the answer
 *   several: all sent           "sent"
 *            bounced            a notice of its own goes to whoever is told (the sender, or the
 *                               owner of the alias), and counts as done
 *            mailbox deferred   goes back into the queue as a message of its own, and is done
 *            other deferred     all of the recipient is tried again later, as Postfix does
 *
 * Destinations that are mailed to rather than delivered to (forward.h) are collected, and handed
 * to cleanup at the end.
 */

#include "common/base/key-set.h"
#include "common/role/command.h"
#include "services/local/forward.h"
#include "services/local/local-expand.h"
#include "services/local/mailbox.h"
#include "services/local/settings.h"

/* A worker's own. */
typedef struct Local {
        Settings settings;
        Mailboxes mailboxes;
        Commands *commands;
} Local;

/*
 * One step of an expansion: an address on its way to a destination, and how it got there. Passed
 * down by value; all slices are borrowed from the caller's frames.
 */
typedef struct Step {
        unsigned level;
        Str address;   /* as in the envelope */
        Str sender;    /* who mail from here on comes from */
        Str told;      /* who is told of failures */
        Str delivered; /* Delivered-To; data NULL: not decided yet */
        Str owner;     /* forwarder: other users are mailed to, not delivered to; data NULL: none */
        Str alias;     /* the last that was expanded; data NULL: none */
        Str unmatched; /* extension that the addresses of this expansion get; data NULL: none */
        char delimiter;  /* in front of the extension */
        unsigned by;     /* SETTINGS_BY_*: the last expansion; 0: none */
        bool is_relayed; /* an address of luser_relay: unknown, too, it is not relayed again */
        bool is_list;    /* SENDER is the owner of a list: nothing of the submitter's DSN wishes */
        const LocalUser *user; /* whose rights, home and commands; NULL: nobody's */

        /* Parts of ADDRESS, set by recipient_deliver(). */
        Str domain;
        Str local;     /* without quotes, in lower case */
        Str name;      /* without extension */
        Str extension; /* data NULL: none */
} Step;

/* The first outcome, kept until another one comes. */
typedef struct AttemptFirst {
        bool is_open;     /* it was no success, and is the answer unless another comes */
        bool can_requeue; /* a message of its own would reach this destination and no other */
        Buf address;      /* of the step */
        Buf delivered;
        Dsn dsn;
} AttemptFirst;

/* Failures of which somebody is told at the end, when it is clear that they do not come again. */
#define ATTEMPT_FAILURES_MAX 100

typedef struct AttemptFailure {
        char *address; /* owned */
        char *told;    /* owned */
        bool is_list;
        Dsn dsn;
} AttemptFailure;

typedef struct Attempt {
        Local *local;
        const Delivery *delivery;
        const DeliveryRecipient *recipient;
        usec_t started_usec;
        KeySet seen;       /* what is done only once: "mailbox bob" ... */
        KeySet seen_paths; /* the same where case matters: "file 1000 /x", "command 1000 cat" ... */
        Buf delivered_to;  /* for copy_has_delivered_to() */
        bool has_delivered_to;
        Forwards forwards;
        uint64_t expanded_bytes; /* of lists so far, see expansion.c */

        unsigned n_outcomes;
        AttemptFirst first;
        AttemptFailure *failures;
        size_t n_failures;
        bool must_retry; /* RETRY is the answer */
        Dsn retry;
} Attempt;

/* Begin. All arguments must outlive ATTEMPT. */
void attempt_init(Attempt *attempt, Local *local, const Delivery *delivery,
                  const DeliveryRecipient *recipient);
void attempt_deinit(Attempt *attempt);

/* Was KEY there before in this attempt? Remembers it. */
bool attempt_seen(Attempt *attempt, const char *format, ...) _printf_(2, 3);

/* Only asks. */
bool attempt_was_seen(const Attempt *attempt, const char *format, ...) _printf_(2, 3);

/* The same for keys of which upper and lower case are not the same: paths and commands. */
bool attempt_seen_path(Attempt *attempt, const char *format, ...) _printf_(2, 3);
bool attempt_was_seen_path(const Attempt *attempt, const char *format, ...) _printf_(2, 3);

/* Has the message been delivered to ADDRESS before? 0 no, 1 yes, negative errno (tell as local
 * fault). */
int attempt_is_loop(Attempt *attempt, Str address);

/* The address that the message was sent to; members of a list are not told. */
Str attempt_original(const Attempt *attempt, const Step *step);

/* What is put in front of the message for STEP. */
CopyEnvelope attempt_envelope(const Attempt *attempt, const Step *step);

/*
 * Whose rights files and commands of STEP have: the user's, or, for root and nobody,
 * default_privs.
 */
LocalRights attempt_rights(const Attempt *attempt, const Step *step);

/* The names that forward_path and its like know, of STEP. No filter is set. */
LocalExpandValues attempt_values(const Attempt *attempt, const Step *step);

/* STEP's address gets the message by mail, at the end of the attempt. */
void attempt_mail_on(Attempt *attempt, const Step *step);

/*
 * DSN is the outcome of a destination of STEP: it is logged, and dealt with as above. Its relay is
 * set here. IS_MAILBOX: it is all that STEP's address leads to, so that a deferral could be left to
 * a message of its own; not for one of several files or commands.
 */
void attempt_report(Attempt *attempt, const Step *step, bool is_mailbox, Dsn *dsn);

/* The same for the outcome of another delivery agent, which has logged it. */
void attempt_report_logged(Attempt *attempt, const Step *step, const Dsn *dsn);

/* Report for STEP's address: bounced when CODE begins with 5, sent with 2, else deferred. */
void attempt_say(Attempt *attempt, const Step *step, const char *code, const char *format, ...)
        _printf_(4, 5);

/* Hand over what is to be mailed, and answer: *RET is for qmgr, all is logged. */
void attempt_finish(Attempt *attempt, Dsn *ret);
