/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/live.h"

#include "dataplane/clock.h"
#include "dataplane/control.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"
#include "dataplane/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define REPORTS_AT_ONCE 256
#define NAP             1000000 /* ns between looks at empty rings */
#define SECOND          INT64_C(1000000000)

struct live {
	const struct house *house;
	struct ports ports;
	struct memory_source memory;
	struct worker **workers;
	unsigned worker_count;
	struct control *control;
	struct rte_rcu_qsbr *quiescence;
	struct watch_set *watch;
	const atomic_bool *stop;
	struct steady_clock clock;
	int64_t started;
	int64_t last_health;
	uint64_t last_losses;
	int64_t step_told; /* seconds */
	struct health_record health;
	struct report reports[REPORTS_AT_ONCE];
};

/* Read-copy-update: the workers see the new set from now on; the old one goes once each of them has
 * passed a point where it holds none. */
static void
publish_watch(void *context, struct watch_set *watch)
{
	struct live *live = context;
	struct watch_set *old = live->watch;

	if (old && watch_set_equal(old, watch)) {
		watch_set_free(watch);
		return;
	}
	for (unsigned i = 0; i < live->worker_count; i++)
		atomic_store_explicit(
			&live->workers[i]->pipeline.watch, watch, memory_order_release);
	rte_rcu_qsbr_synchronize(live->quiescence, RTE_QSBR_THRID_INVALID);
	live->watch = watch;
	watch_set_free(old);
}

static int
create_dpi(const struct config *config, struct dpi **dpi)
{
	if (config->inspection.mode == INSPECT_OFF)
		return 0;
	*dpi = dpi_create(config->inspection.flows_max, config->inspection.dpi_max_packets);
	return *dpi ? 0 : -ENOMEM;
}

static int
create_worker(struct live *live, unsigned number)
{
	const struct house *house = live->house;
	struct worker *worker = memory_allocate(&live->memory, "worker", sizeof(struct worker));
	struct pipeline_settings settings = {
		.config = house->config,
		.dispatch = house->dispatch,
		.decode = house->decode,
		.memory = &live->memory,
		.worker = (uint16_t)number,
		.deduplicated_ports = dedup_ports_of(house->config, false),
	};
	int error;

	if (worker == NULL)
		return -ENOMEM;
	error = report_ring_init(&worker->reports, number, REPORT_RING_SLOTS, live->memory.socket);
	if (error == 0) {
		settings.output = report_ring_output(&worker->reports);
		error = create_dpi(house->config, &settings.dpi);
	}
	if (error == 0) {
		error = pipeline_init(&worker->pipeline, &settings);
		if (error)
			dpi_free(settings.dpi);
	}
	if (error) {
		report_ring_free(&worker->reports);
		live->memory.release(worker);
		return error;
	}
	worker->ports = &live->ports;
	worker->quiescence = live->quiescence;
	worker->number = (uint16_t)number;
	worker->stop = live->stop;
	worker->clock = live->clock;
	worker->naps = eal_shares_cpus() || ports_are_kernel(&live->ports);
	live->workers[live->worker_count++] = worker;
	return 0;
}

static int
create_workers(struct live *live)
{
	unsigned wanted = live->house->config->dataplane.workers;
	size_t size = rte_rcu_qsbr_get_memsize(wanted);

	live->workers = calloc(wanted, sizeof(struct worker *));
	live->quiescence = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(size));
	if (live->workers == NULL || live->quiescence == NULL ||
		rte_rcu_qsbr_init(live->quiescence, wanted) != 0)
		return -ENOMEM;
	for (unsigned i = 0; i < wanted; i++) {
		int error = create_worker(live, i);

		if (error)
			return error;
	}
	return 0;
}

static unsigned
receive_reports(struct live *live)
{
	unsigned total = 0;

	for (unsigned i = 0; i < live->worker_count; i++) {
		unsigned count = report_ring_receive(
			&live->workers[i]->reports, live->reports, REPORTS_AT_ONCE);

		for (unsigned k = 0; k < count; k++)
			control_report(live->control, &live->reports[k]);
		total += count;
	}
	return total;
}

static uint64_t
sum_losses(const struct health_record *health)
{
	uint64_t losses = health->nic_missed + health->nic_no_mbuf + health->nic_errors;

	for (size_t i = 0; i < health->figure_count; i++)
		if (health->figures[i].kind == HEALTH_LOSS)
			losses += health->figures[i].value;
	return losses;
}

static void
warn_of_step(struct live *live)
{
	int64_t step = clock_step(&live->clock) / SECOND;

	if (step == live->step_told)
		return;
	log_warning("the system clock was set %+" PRId64
		    " s since the start; event times follow it after a restart",
		step);
	live->step_told = step;
}

static void
send_health(struct live *live, int64_t now)
{
	struct health_record *health = &live->health;
	uint64_t losses;

	*health = (struct health_record){.time = now, .uptime = now - live->started};
	for (unsigned i = 0; i < live->worker_count; i++) {
		pipeline_health(&live->workers[i]->pipeline, health);
		report_ring_health(&live->workers[i]->reports, health);
	}
	ports_health(&live->ports, health);
	control_health(live->control, health);
	losses = sum_losses(health);
	if (losses > live->last_losses)
		log_warning("%" PRIu64 " losses since the last health event; see camspan.health",
			losses - live->last_losses);
	live->last_losses = losses;
	live->last_health = now;
	warn_of_step(live);
}

static void
control_loop(struct live *live)
{
	int64_t interval = live->house->config->health_interval_s * SECOND;
	const struct timespec nap = {.tv_nsec = NAP};

	while (!atomic_load(live->stop)) {
		unsigned received = receive_reports(live);
		int64_t now = clock_now(&live->clock);

		control_tick(live->control, now, false);
		if (now - live->last_health >= interval)
			send_health(live, now);
		if (received == 0)
			nanosleep(&nap, NULL);
	}
}

static bool
all_drained(const struct live *live)
{
	for (unsigned i = 0; i < live->worker_count; i++)
		if (!atomic_load(&live->workers[i]->drained))
			return false;
	return true;
}

/* The workers hand over what is in their tables; then devices, streams and alerts go out. */
static void
wind_down(struct live *live)
{
	const struct timespec nap = {.tv_nsec = NAP};

	fanout_wind_down(live->house->fanout);
	while (!all_drained(live))
		if (receive_reports(live) == 0)
			nanosleep(&nap, NULL);
	while (receive_reports(live) > 0)
		;
	rte_eal_mp_wait_lcore();
	control_tick(live->control, clock_now(&live->clock), true);
	send_health(live, clock_now(&live->clock));
}

static int
launch(struct live *live)
{
	unsigned number = 0;
	unsigned lcore;

	/* Before the first one runs: a running worker cannot be taken back. */
	if (rte_lcore_count() - 1 < live->worker_count)
		return -ENODEV;
	RTE_LCORE_FOREACH_WORKER (lcore) {
		if (number == live->worker_count)
			break;
		if (rte_eal_remote_launch(worker_run, live->workers[number], lcore) != 0)
			abort(); /* all lcores wait at this point */
		number++;
	}
	return 0;
}

static bool
set_up(struct live *live)
{
	const struct house *house = live->house;
	struct control_settings settings = {
		.config = house->config,
		.knowledge = house->knowledge,
		.fanout = house->fanout,
		.publish = publish_watch,
		.publish_context = live,
	};
	char error[512];
	int code;

	if (ports_start(&live->ports, house->config, error, sizeof(error)) != 0) {
		log_error("%s", error);
		return false;
	}
	code = create_workers(live);
	if (code) {
		log_error("no memory for the workers' tables: %s; make flows.ipv4_max smaller or "
			  "reserve"
			  " more huge pages",
			strerror(-code));
		return false;
	}
	live->control = control_create(&settings);
	if (live->control == NULL) {
		log_error("no memory for devices, streams and policy");
		return false;
	}
	code = launch(live);
	if (code)
		log_error("dataplane.lcores names fewer lcores than there are workers");
	return code == 0;
}

static void
tear_down(struct live *live)
{
	ports_stop(&live->ports);
	control_free(live->control);
	for (unsigned i = 0; i < live->worker_count; i++) {
		pipeline_free(&live->workers[i]->pipeline);
		report_ring_free(&live->workers[i]->reports);
		live->memory.release(live->workers[i]);
	}
	watch_set_free(live->watch);
	free(live->quiescence);
	free(live->workers);
	free(live);
}

int
live_run(const struct house *house, const atomic_bool *stop)
{
	struct live *live = calloc(1, sizeof(*live));
	bool running;

	if (live == NULL)
		return 1;
	live->house = house;
	live->stop = stop;
	live->memory = eal_memory((int)rte_socket_id());
	live->clock = clock_start();
	live->started = live->last_health = clock_now(&live->clock);
	running = set_up(live);
	if (running) {
		log_info("listening on %u ports with %u workers", live->ports.count,
			live->worker_count);
		sd_notify(0, "READY=1");
		control_loop(live);
		sd_notify(0, "STOPPING=1");
		log_info("stopping");
		wind_down(live);
	}
	tear_down(live);
	return running ? 0 : 1;
}
