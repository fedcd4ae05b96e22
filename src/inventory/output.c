/* output: pieces of text, through GIO's compressor where that is wanted, into an HTTP stream. */
#include "inventory/output.h"
#include <string.h>

enum { PIECE = 64 * 1024, COMPRESSION = 1 /* lists are repetitive: more costs time and saves little */ };

struct Output {
    HttpExchange *exchange;
    HttpStream *stream; /* NULL: nothing was sent yet */
    GConverter *compressor;
    GString *text;
    gboolean gone;
};

static gboolean accepts_gzip(HttpExchange *exchange)
{
    const char *accepts = http_exchange_header(exchange, "Accept-Encoding");
    return accepts && strstr(accepts, "gzip") && !strstr(accepts, "gzip;q=0");
}

Output *output_new(HttpExchange *exchange)
{
    Output *output = g_new0(Output, 1);

    output->exchange = exchange;
    output->text = g_string_sized_new(PIECE + PIECE / 4);
    return output;
}

GString *output_text(Output *output)
{
    return output->text;
}

static void begin(Output *output)
{
    http_exchange_add_header(output->exchange, "Vary", "Accept-Encoding");
    if (accepts_gzip(output->exchange)) {
        http_exchange_add_header(output->exchange, "Content-Encoding", "gzip");
        output->compressor = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, COMPRESSION));
    }
    output->stream = http_exchange_stream(output->exchange, 200, "application/json; charset=utf-8");
}

static GBytes *compress(Output *output, gboolean last)
{
    GByteArray *packed = g_byte_array_new();
    const char *from = output->text->str;
    gsize left = output->text->len;
    GConverterResult result = G_CONVERTER_CONVERTED;

    while (left || (last && result != G_CONVERTER_FINISHED)) {
        guint8 buffer[16 * 1024];
        gsize read = 0, written = 0;
        result = g_converter_convert(output->compressor, from, left, buffer, sizeof buffer,
                                     last ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &read, &written,
                                     NULL);
        if (result == G_CONVERTER_ERROR)
            break;
        g_byte_array_append(packed, buffer, written);
        from += read;
        left -= read;
    }
    return g_byte_array_free_to_bytes(packed);
}

static void send_piece(Output *output, gboolean last)
{
    g_autoptr(GBytes) bytes =
        output->compressor ? compress(output, last) : g_bytes_new(output->text->str, output->text->len);

    g_string_truncate(output->text, 0);
    if (g_bytes_get_size(bytes) &&
        !http_stream_send_wait(output->stream, bytes, http_exchange_cancellable(output->exchange)))
        output->gone = TRUE;
}

gboolean output_pass(Output *output)
{
    if (output->text->len < PIECE)
        return TRUE;
    if (!output->stream)
        begin(output);
    if (!output->gone)
        send_piece(output, FALSE);
    return !output->gone;
}

static void output_free(Output *output)
{
    g_clear_pointer(&output->stream, http_stream_unref);
    g_clear_object(&output->compressor);
    g_string_free(output->text, TRUE);
    g_free(output);
}

/* The server compresses whole answers itself. */
void output_end(Output *output)
{
    if (!output->stream) {
        g_autoptr(GBytes) body = g_bytes_new(output->text->str, output->text->len);
        http_exchange_reply(output->exchange, 200, "application/json; charset=utf-8", body);
    } else {
        if (!output->gone)
            send_piece(output, TRUE);
        http_stream_end(output->stream);
    }
    output_free(output);
}

void output_fail(Output *output, guint status, const char *reason)
{
    if (!output->stream) {
        http_exchange_add_header(output->exchange, "X-Reason", reason);
        http_exchange_reply(output->exchange, status, NULL, NULL);
    } else
        http_stream_end(output->stream);
    output_free(output);
}
