/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/tcp_stream.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* Collects what was delivered and consumes as told. */
struct reader {
	uint8_t got[1 << 16];
	uint32_t length;
	unsigned gaps, calls;
	uint32_t keep; /* wait until this many bytes are there */
	uint32_t skip; /* on top of what was offered */
};

static uint32_t
take(void *context, const uint8_t *data, uint32_t length, bool gap)
{
	struct reader *reader = context;
	uint32_t skip = reader->skip;

	reader->calls++;
	reader->gaps += gap;
	if (length < reader->keep)
		return 0;
	reader->keep = 0;
	reader->skip = 0;
	memcpy(reader->got + reader->length, data, length);
	reader->length += length;
	return length + skip;
}

static struct tcp_buffers buffers;
static struct tcp_stream stream;
static struct reader reader;

static void
begin(uint32_t count)
{
	memset(&stream, 0, sizeof(stream));
	memset(&reader, 0, sizeof(reader));
	CU_ASSERT_EQUAL_FATAL(tcp_buffers_init(&buffers, count, &memory_from_system), 0);
}

static void
end(void)
{
	tcp_stream_end(&stream, &buffers);
	CU_ASSERT_EQUAL(buffers.free_count, buffers.size);
	tcp_buffers_free(&buffers);
}

static void
segment(uint32_t sequence, const char *text)
{
	tcp_stream_segment(&stream, &buffers, sequence, (const uint8_t *)text,
		(uint32_t)strlen(text), take, &reader);
}

static void
expect(const char *text, unsigned gaps)
{
	CU_ASSERT_EQUAL(reader.length, strlen(text));
	CU_ASSERT_EQUAL(memcmp(reader.got, text, reader.length), 0);
	CU_ASSERT_EQUAL(reader.gaps, gaps);
}

static void
test_in_order_passes_without_a_buffer(void)
{
	begin(1);
	tcp_stream_start(&stream, 100);
	segment(100, "abc");
	segment(103, "def");
	expect("abcdef", 0);
	CU_ASSERT_EQUAL(buffers.free_count, 1);
	end();
}

static void
test_sequence_numbers_wrap(void)
{
	begin(1);
	tcp_stream_start(&stream, UINT32_MAX - 1);
	segment(UINT32_MAX - 1, "abcd");
	segment(2, "ef");
	expect("abcdef", 0);
	end();
}

static void
test_retransmissions_and_overlaps(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	segment(0, "abc");
	segment(0, "abc");
	segment(1, "bcde");
	segment(5, "f");
	expect("abcdef", 0);
	end();
}

static void
test_what_was_left_is_offered_again(void)
{
	begin(1);
	reader.keep = 6;
	segment(0, "ab");
	segment(2, "cd");
	CU_ASSERT_EQUAL(reader.length, 0);
	segment(4, "efg");
	expect("abcdefg", 0);
	end();
}

static void
test_early_segments_wait(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	segment(6, "gh");
	segment(2, "cd");
	segment(4, "ef");
	CU_ASSERT_EQUAL(reader.length, 0);
	segment(0, "ab");
	expect("abcdefgh", 0);
	end();
}

static void
test_a_skip_is_not_waited_for(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	reader.skip = 1000;
	segment(0, "ab");
	segment(500, "lost around, inside the skip");
	segment(1000, "12cd"); /* its first two bytes belong to the skip */
	expect("abcd", 0);
	end();
}

static void
test_an_acknowledged_hole_is_a_gap(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	segment(0, "ab");
	segment(4, "ef");
	tcp_stream_acknowledged(&stream, &buffers, 2, take, &reader);
	expect("ab", 0);
	tcp_stream_acknowledged(&stream, &buffers, 6, take, &reader);
	expect("abef", 1);
	CU_ASSERT_EQUAL(buffers.gaps, 1);
	end();
}

static void
test_a_distant_segment_is_a_gap_when_another_follows_it(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	segment(0, "ab");
	segment(2 + STREAM_BUFFER_SIZE, "y"); /* may be forged */
	expect("ab", 0);
	segment(3 + STREAM_BUFFER_SIZE, "z");
	expect("abz", 1);
	end();
}

static void
test_one_forged_segment_blinds_nobody(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	segment(0, "ab");
	segment(0x40000000, "forged");
	segment(0x80000002, "as far behind as can be");
	segment(2, "cd");
	expect("abcd", 0);
	end();
}

static void
test_a_new_connection_starts_afresh(void)
{
	begin(1);
	tcp_stream_syn(&stream, &buffers, 1000);
	reader.keep = 100;
	segment(1000, "old");
	tcp_stream_syn(&stream, &buffers, 1000); /* repeated: nothing changes */
	CU_ASSERT_EQUAL(stream.length, 3);
	tcp_stream_syn(&stream, &buffers, 0x70000000);
	reader.keep = 0;
	segment(0x70000000, "new");
	expect("new", 1);
	end();
}

static void
test_too_many_islands_are_a_gap(void)
{
	begin(1);
	tcp_stream_start(&stream, 0);
	for (uint32_t i = 0; i <= TCP_STREAM_RANGES; i++)
		segment(10 + 10 * i, "x");
	CU_ASSERT_EQUAL(reader.gaps, 1);
	CU_ASSERT_TRUE(reader.length >= 1);
	end();
}

static void
test_a_full_buffer_is_dropped(void)
{
	static uint8_t bytes[1000];

	begin(1);
	tcp_stream_start(&stream, 0);
	reader.keep = 1 << 20;
	for (uint32_t at = 0; at < 3 * STREAM_BUFFER_SIZE; at += sizeof(bytes))
		tcp_stream_segment(&stream, &buffers, at, bytes, sizeof(bytes), take, &reader);
	CU_ASSERT_TRUE(buffers.gaps >= 2);
	end();
}

static void
test_an_empty_pool_is_counted(void)
{
	struct tcp_stream other = {0};

	begin(1);
	reader.keep = 100;
	segment(0, "ab");
	CU_ASSERT_EQUAL(buffers.free_count, 0);
	tcp_stream_segment(&other, &buffers, 0, (const uint8_t *)"cd", 2, take, &reader);
	CU_ASSERT_EQUAL(buffers.exhausted, 1);
	CU_ASSERT_TRUE(other.gap);
	end();
}

/* Whatever order, overlap and loss: what is delivered between gaps is a piece of what was sent. */
static void
test_random_delivery_is_always_in_order(void)
{
	static uint8_t sent[20000];

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 2654435761u >> 13);
	srandom(7);
	for (int round = 0; round < 200; round++) {
		uint32_t base = (uint32_t)random() * 3;
		uint32_t at = 0;

		begin(1);
		tcp_stream_start(&stream, base);
		while (at < sizeof(sent) - 1600) {
			uint32_t order[3] = {0, 1, 2};
			uint32_t size = 1 + (uint32_t)random() % 500;

			if (random() % 2)
				order[0] = 2, order[2] = 0;
			for (int k = 0; k < 3; k++)
				tcp_stream_segment(&stream, &buffers, base + at + order[k] * size,
					sent + at + order[k] * size, size, take, &reader);
			at += 3 * size;
		}
		CU_ASSERT_EQUAL(reader.length, at);
		CU_ASSERT_EQUAL(memcmp(reader.got, sent, at), 0);
		CU_ASSERT_EQUAL(reader.gaps, 0);
		end();
	}
}

int
main(void)
{
	CU_TestInfo tests[] = {
		{"in order passes without a buffer", test_in_order_passes_without_a_buffer},
		{"sequence numbers wrap", test_sequence_numbers_wrap},
		{"retransmissions and overlaps", test_retransmissions_and_overlaps},
		{"what was left is offered again", test_what_was_left_is_offered_again},
		{"early segments wait", test_early_segments_wait},
		{"a skip is not waited for", test_a_skip_is_not_waited_for},
		{"an acknowledged hole is a gap", test_an_acknowledged_hole_is_a_gap},
		{"a distant segment is a gap when another follows it",
			test_a_distant_segment_is_a_gap_when_another_follows_it},
		{"one forged segment blinds nobody", test_one_forged_segment_blinds_nobody},
		{"a new connection starts afresh", test_a_new_connection_starts_afresh},
		{"too many islands are a gap", test_too_many_islands_are_a_gap},
		{"a full buffer is dropped", test_a_full_buffer_is_dropped},
		{"an empty pool is counted", test_an_empty_pool_is_counted},
		{"random delivery is always in order", test_random_delivery_is_always_in_order},
		CU_TEST_INFO_NULL,
	};

	return unit_run("TCP stream", tests);
}
