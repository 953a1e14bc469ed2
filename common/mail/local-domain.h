#pragma once

/*
 * Which domains are delivered to users of this machine: those in mydestination, and the machine's
 * own addresses as literals ("user@[127.0.0.1]").
 */

#include "common/mail/match-list.h"

/* The parameters that decide; borrowed. */
typedef struct LocalDomains {
        const MatchList *mydestination; /* MATCH_NAMES */
        Str inet_interfaces;            /* lists, see inet-list.h */
        Str proxy_interfaces;
} LocalDomains;

/*
 * Is DOMAIN one of them? One '.' at its end does not count. TABLE_ERROR: a table could not be
 * asked, ERROR (appended) says which and why. ANSWERS: see table-answers.h.
 */
TableResult local_domains_find(const LocalDomains *domains, Str domain, TableAnswers *answers,
                               Buf *error);
