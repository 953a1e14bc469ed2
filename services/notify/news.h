#pragma once

/* What is to be told: how many messages are new, and the newest of them, fit to be shown. */

#include <stdint.h>

#include "common/base/buf.h"
#include "services/notify/head.h"
#include "services/notify/text.h"

#define NEWS_SHOWN          5 /* messages whose sender and subject are shown */
#define NEWS_SUMMARY_MAX    64
#define NEWS_BODY_MAX_BYTES (NEWS_SHOWN * (2 * 6 * TEXT_MAX_BYTES + 8))

typedef struct NewsItem {
        Buf sender;  /* by text_append_sender() */
        Buf subject; /* by text_append_line() */
} NewsItem;

typedef struct News {
        uint64_t n;
        NewsItem newest[NEWS_SHOWN]; /* message i (from 0) is in place i % NEWS_SHOWN */
} News;

/* Nothing is new, as yet; and free it all. */
void news_init(News *news);
void news_deinit(News *news);

/* Nothing is new. */
void news_reset(News *news);

/* One more message, newer than those before. 0 or negative errno. */
int news_add(News *news, const Head *head);

/* N more messages of which nothing is shown, older than those that are added after them. */
void news_add_unshown(News *news, uint64_t n);

/* Add all of MORE behind what is there. 0 or negative errno. */
int news_append(News *news, const News *more);

/*
 * The notification: "New message" or "3 new messages", and a line "SENDER: SUBJECT" for each of the
 * newest, the newest first, escaped for a reader of markup. SUMMARY takes NEWS_SUMMARY_MAX bytes,
 * BODY NEWS_BODY_MAX_BYTES. 0 or negative errno.
 */
int news_format(const News *news, Buf *summary, Buf *body);
