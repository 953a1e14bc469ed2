#include "services/notify/news.h"

#include <errno.h>
#include <inttypes.h>

void news_init(News *news) {
        *news = (News){ 0 };
        for (size_t i = 0; i < NEWS_SHOWN; i++)
                news->newest[i] = (NewsItem){ BUF_INIT(TEXT_MAX_BYTES), BUF_INIT(TEXT_MAX_BYTES) };
}

void news_deinit(News *news) {
        for (size_t i = 0; i < NEWS_SHOWN; i++) {
                buf_deinit(&news->newest[i].sender);
                buf_deinit(&news->newest[i].subject);
        }
        news->n = 0;
}

static NewsItem *next_item(News *news) {
        NewsItem *item = &news->newest[news->n++ % NEWS_SHOWN];

        buf_reset(&item->sender);
        buf_reset(&item->subject);
        return item;
}

void news_reset(News *news) {
        news->n = 0;
        for (size_t i = 0; i < NEWS_SHOWN; i++)
                (void)next_item(news);
        news->n = 0;
}

/* BUF_E_FULL cannot be: each place takes the longest text. */
static int no_room(int r) {
        return r > 0 ? -ENOBUFS : r;
}

int news_add(News *news, const Head *head) {
        NewsItem *item = next_item(news);
        int r;

        r = text_append_sender(&item->sender, buf_str(&head->from));
        if (r == 0)
                r = text_append_line(&item->subject, buf_str(&head->subject));
        return no_room(r);
}

void news_add_unshown(News *news, uint64_t n) {
        for (uint64_t i = 0; i < n && i < NEWS_SHOWN; i++)
                (void)next_item(news);
        if (n > NEWS_SHOWN)
                news->n += n - NEWS_SHOWN;
}

int news_append(News *news, const News *more) {
        uint64_t first = more->n > NEWS_SHOWN ? more->n - NEWS_SHOWN : 0;

        news_add_unshown(news, first);
        for (uint64_t i = first; i < more->n; i++) {
                const NewsItem *from = &more->newest[i % NEWS_SHOWN];
                NewsItem *item = next_item(news);
                int r;

                r = buf_append_str(&item->sender, buf_str(&from->sender));
                if (r == 0)
                        r = buf_append_str(&item->subject, buf_str(&from->subject));
                if (r != 0)
                        return no_room(r);
        }
        return 0;
}

static Str text_or(const Buf *text, Str otherwise) {
        return text->len > 0 ? buf_str(text) : otherwise;
}

int news_format(const News *news, Buf *summary, Buf *body) {
        uint64_t n_shown = news->n < NEWS_SHOWN ? news->n : NEWS_SHOWN;

        if (news->n == 1)
                (void)buf_append_cstr(summary, "New message");
        else
                (void)buf_printf(summary, "%" PRIu64 " new messages", news->n);
        for (uint64_t i = 0; i < n_shown; i++) {
                const NewsItem *item = &news->newest[(news->n - 1 - i) % NEWS_SHOWN];

                if (i > 0)
                        (void)buf_append_char(body, '\n');
                (void)text_append_escaped(body, text_or(&item->sender, STR("(unknown sender)")));
                (void)buf_append_cstr(body, ": ");
                (void)text_append_escaped(body, text_or(&item->subject, STR("(no subject)")));
        }
        return no_room(summary->error ? summary->error : body->error);
}
