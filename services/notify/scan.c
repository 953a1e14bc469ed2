#include "services/notify/scan.h"

void scan_init(Scan *scan, const Ids *known, Ids *found, News *news, bool is_start) {
        *scan = (Scan){
                .known = known,
                .found = found,
                .news = news,
                .line = BUF_INIT(HEAD_LINE_MAX),
                .is_after_empty_line = is_start,
        };
        head_init(&scan->head);
}

void scan_deinit(Scan *scan) {
        head_deinit(&scan->head);
        buf_deinit(&scan->line);
}

static int message_done(Scan *scan) {
        int r = ids_add(scan->found, scan->head.id);

        scan->is_in_header = false;
        if (r < 0)
                return r;
        if (ids_has(scan->known, scan->head.id))
                news_reset(scan->news);
        else if (!scan->head.is_seen)
                return news_add(scan->news, &scan->head);
        return 0;
}

static int take_line(Scan *scan, Str line) {
        bool is_empty = str_is_empty(line) || str_equal(line, STR("\r"));
        int r = 0;

        if (scan->is_in_header) {
                if (!head_add_line(&scan->head, line))
                        r = message_done(scan);
        } else if (scan->is_after_empty_line && str_has_prefix(line, STR("From "))) {
                head_reset(&scan->head);
                scan->is_in_header = true;
        }
        scan->is_after_empty_line = is_empty;
        return r;
}

int scan_add(Scan *scan, Str data) {
        while (data.len > 0) {
                size_t end = str_find(data, '\n');
                ssize_t n = buf_append_clipped(&scan->line, str_first(data, end));
                int r;

                if (n < 0)
                        return (int)n;
                if (end == data.len)
                        return 0;
                r = take_line(scan, buf_str(&scan->line));
                if (r < 0)
                        return r;
                buf_reset(&scan->line);
                data = str_skip(data, end + 1);
        }
        return 0;
}

void scan_read_head(Str content, Head *head) {
        Str line;

        while (str_next_part(&content, '\n', &line))
                if (!head_add_line(head, str_first(line, HEAD_LINE_MAX)))
                        return;
}
