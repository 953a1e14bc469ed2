/*
 * Any bytes as a mailbox, in pieces cut where the bytes say: no pieces give another result than
 * one, what was found once is no news the second time, and the notification is valid UTF-8 without
 * a control character but the line ends between messages and without markup. The same bytes as a
 * state: what is understood says the same when it is written and read again.
 */

#include <stdint.h>
#include <stdlib.h>

#include "services/notify/scan.h"
#include "services/notify/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_scan(Str content, const Ids *known, bool in_pieces, Ids *found, News *news) {
        Scan scan;

        scan_init(&scan, known, found, news, true);
        while (content.len > 0) {
                size_t n = in_pieces ? 1 + (size_t)(unsigned char)content.data[0] % 7 : content.len;

                if (scan_add(&scan, str_first(content, n)) != 0)
                        abort();
                content = str_skip(content, n);
        }
        scan_deinit(&scan);
}

/* The promise of news_format(), checked by other means. */
static void check_shown(Str text) {
        while (text.len > 0) {
                size_t n = str_utf8_length(text);

                if (n == 0 || (ascii_is_control(text.data[0]) && text.data[0] != '\n') ||
                    text.data[0] == '<' || text.data[0] == '>' || text.data[0] == '"')
                        abort();
                text = str_skip(text, n);
        }
}

static void format(const News *news, Buf *body) {
        Buf summary _cleanup_(buf_deinit) = BUF_INIT(NEWS_SUMMARY_MAX);
        size_t n_lines = 1;

        if (news_format(news, &summary, body) != 0)
                abort();
        check_shown(buf_str(body));
        for (size_t i = 0; i < body->len; i++)
                n_lines += body->data[i] == '\n';
        if (news->n > 0 && n_lines != size_min(news->n, NEWS_SHOWN))
                abort();
}

static void try_mailbox(Str content) {
        Ids whole _cleanup_(ids_deinit) = IDS_NULL, pieces _cleanup_(ids_deinit) = IDS_NULL;
        Ids again _cleanup_(ids_deinit) = IDS_NULL;
        Buf body _cleanup_(buf_deinit) = BUF_INIT(NEWS_BODY_MAX_BYTES);
        Buf body_of_pieces _cleanup_(buf_deinit) = BUF_INIT(NEWS_BODY_MAX_BYTES);
        News news _cleanup_(news_deinit);

        news_init(&news);
        run_scan(content, &IDS_NULL, false, &whole, &news);
        format(&news, &body);
        news_reset(&news);
        run_scan(content, &IDS_NULL, true, &pieces, &news);
        format(&news, &body_of_pieces);
        if (whole.n != pieces.n || !str_equal(buf_str(&body), buf_str(&body_of_pieces)))
                abort();
        ids_sort(&whole);
        news_reset(&news);
        run_scan(content, &whole, false, &again, &news);
        if (news.n != 0)
                abort();
}

static void try_state(Str text) {
        State state _cleanup_(state_deinit) = STATE_NULL,
                    again _cleanup_(state_deinit) = STATE_NULL;
        Buf first _cleanup_(buf_deinit) = BUF_INIT(STATE_MAX_BYTES);
        Buf second _cleanup_(buf_deinit) = BUF_INIT(STATE_MAX_BYTES);

        if (text.len > STATE_MAX_BYTES || state_parse(text, &state) != 0)
                return;
        if (state_format(&state, &first) != 0 || state_parse(buf_str(&first), &again) != 0 ||
            state_format(&again, &second) != 0 || !str_equal(buf_str(&first), buf_str(&second)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size > (1 << 20))
                return 0;
        try_mailbox(str_from((const char *)data, size));
        try_state(str_from((const char *)data, size));
        return 0;
}
