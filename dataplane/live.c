/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/live.h"

#include "dataplane/clock.h"
#include "dataplane/control.h"
#include "dataplane/crew.h"
#include "dataplane/eal.h"
#include "dataplane/log.h"

#include <inttypes.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_rcu_qsbr.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define REPORTS_AT_ONCE 256
#define NAP             1000000 /* ns between looks at empty rings */
#define UNEVEN          150     /* per cent of the mean: worth a word when packets are lost */
#define SECOND          INT64_C(1000000000)
#define ANSWER_WITHIN   SECOND

struct live {
	const struct house *house;
	struct ports ports;
	struct layout layout;
	struct crew crew;
	struct control *control;
	struct watch_set *watch;
	const atomic_bool *stop;
	struct steady_clock clock;
	int64_t started;
	int64_t last_health;
	int64_t asked; /* when the workers were asked for their figures, 0: they are not */
	int64_t last_port_tick;
	uint64_t last_losses;
	int64_t step_told; /* seconds */
	struct health_record health;
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
	for (unsigned i = 0; i < live->crew.worker_count; i++)
		atomic_store_explicit(
			&live->crew.workers[i]->pipeline.watch, watch, memory_order_release);
	rte_rcu_qsbr_synchronize(live->crew.quiescence, RTE_QSBR_THRID_INVALID);
	live->watch = watch;
	watch_set_free(old);
}

static unsigned
receive_reports(struct live *live)
{
	unsigned total = 0;

	for (unsigned i = 0; i < live->crew.worker_count; i++) {
		total += report_ring_receive(&live->crew.workers[i]->reports, REPORTS_AT_ONCE,
			control_report, live->control);
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
warn_of_losses(const struct live *live, uint64_t losses)
{
	const struct crew *crew = &live->crew;

	if (crew->worst >= UNEVEN)
		log_warning("%" PRIu64
			    " losses since the last health event; see camspan.health; worker %u "
			    "had %u %% of the mean of all workers",
			losses, crew->busiest, crew->worst);
	else
		log_warning("%" PRIu64 " losses since the last health event; see camspan.health",
			losses);
}

static void
send_health(struct live *live, int64_t now)
{
	struct health_record *health = &live->health;
	uint64_t losses;

	*health = (struct health_record){.time = now, .uptime = now - live->started};
	crew_health(&live->crew, health);
	ports_health(&live->ports, health);
	control_health(live->control, health);
	losses = sum_losses(health);
	if (losses > live->last_losses)
		warn_of_losses(live, losses - live->last_losses);
	live->last_losses = losses;
	live->last_health = now;
	warn_of_step(live);
}

/* A worker that does not answer has its figures of before: the event must not wait for it. */
static void
tick_health(struct live *live, int64_t now)
{
	int64_t interval = live->house->config->health_interval_s * SECOND;

	if (live->asked == 0 && now - live->last_health >= interval) {
		crew_ask(&live->crew);
		live->asked = now;
	}
	if (live->asked != 0 &&
		(crew_has_answered(&live->crew) || now - live->asked >= ANSWER_WITHIN)) {
		send_health(live, now);
		live->asked = 0;
	}
}

static void
control_loop(struct live *live)
{
	const struct timespec nap = {.tv_nsec = NAP};

	while (!atomic_load(live->stop)) {
		unsigned received = receive_reports(live);
		int64_t now = clock_now(&live->clock);

		control_tick(live->control, now, false);
		if (now - live->last_port_tick >= SECOND) {
			ports_tick(&live->ports, now);
			live->last_port_tick = now;
		}
		tick_health(live, now);
		if (received == 0)
			nanosleep(&nap, NULL);
	}
}

/* The workers hand over what is in their tables; then devices, streams and alerts go out. */
static void
wind_down(struct live *live)
{
	const struct timespec nap = {.tv_nsec = NAP};

	fanout_wind_down(live->house->fanout);
	while (!crew_has_drained(&live->crew))
		if (receive_reports(live) == 0)
			nanosleep(&nap, NULL);
	while (receive_reports(live) > 0)
		;
	rte_eal_mp_wait_lcore();
	control_tick(live->control, clock_now(&live->clock), true);
	send_health(live, clock_now(&live->clock));
}

static bool
fail(const char *error)
{
	log_error("%s", error);
	return false;
}

/* Ports found, judged and started, and who reads them. */
static bool
start_ports(struct live *live)
{
	static const char *const names[] = {"by the ports", "in software"};
	const struct config *config = live->house->config;
	struct layout_lcore lcores[RTE_MAX_LCORE];
	unsigned lcore_count = eal_lcores(lcores, RTE_MAX_LCORE);
	char error[512];

	if (ports_open(&live->ports, config, lcores, lcore_count, &live->layout, error,
		    sizeof(error)) != 0)
		return fail(error);
	if (eal_shares_cpus(1u + live->layout.rx_count + live->layout.worker_count))
		log_warning("%u lcores to receive and work, and the control thread, share fewer "
			    "CPUs: expect losses under load",
			live->layout.rx_count + live->layout.worker_count);
	if (config->dataplane.workers > 1 || live->layout.software)
		log_info("packets are spread %s among %u workers", names[live->layout.software],
			config->dataplane.workers);
	return true;
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
		.sampling_interval = house->config->dataplane.sampling,
	};
	struct crew_settings crew = {
		.house = house,
		.ports = &live->ports,
		.layout = &live->layout,
		.clock = live->clock,
		.stop = live->stop,
	};
	int code;

	if (!start_ports(live))
		return false;
	code = crew_create(&live->crew, &crew);
	if (code) {
		log_error("no memory for the workers' tables: %s; make flows.ipv4_max smaller or "
			  "reserve"
			  " more huge pages",
			strerror(-code));
		return false;
	}
	live->control = control_create(&settings);
	if (live->control == NULL)
		return fail("no memory for devices, streams and policy");
	crew_launch(&live->crew);
	return true;
}

static void
tear_down(struct live *live)
{
	control_free(live->control);
	crew_free(&live->crew); /* before the pools that its packets are from */
	ports_stop(&live->ports);
	watch_set_free(live->watch);
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
	live->clock = clock_start();
	live->started = live->last_health = clock_now(&live->clock);
	running = set_up(live);
	if (running) {
		log_info("listening on %u ports with %u workers", live->ports.count,
			live->crew.worker_count);
		sd_notify(0, "READY=1");
		control_loop(live);
		sd_notify(0, "STOPPING=1");
		log_info("stopping");
		wind_down(live);
	}
	tear_down(live);
	return running ? 0 : 1;
}
