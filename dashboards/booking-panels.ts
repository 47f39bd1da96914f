import { ANY_INCREASE, stat, timeseries } from "./panels.js";

/** Every learner says the same, so one of them is enough. */
function perExperiment(metric: string) {
	return [
		{
			expr: `max by (experiment) (${metric}{experiment=~"$experiment"})`,
			legend: "{{experiment}}",
		},
	];
}

/** How far reports are behind the log, and what of it no arm's value will ever count. */
export function bookingPanels() {
	return [
		timeseries({
			title: "Booking lag",
			description:
				"For how long decisions have waited to be booked since all that counts for them should have been learned. Near zero is normal; alarm from ten minutes on, unless a log is gone through after an upgrade.",
			unit: "s",
			span: 8,
			alarmFrom: 600,
			queries: perExperiment("segue_booking_lag_seconds"),
		}),
		timeseries({
			title: "Decisions not booked yet",
			description:
				"Mostly those whose windows are open, so it goes with traffic and the reward's window. A rise beside a growing lag: booking does not keep up.",
			unit: "short",
			span: 8,
			queries: perExperiment("segue_booking_waiting_decisions"),
		}),
		timeseries({
			title: "Decisions in no arm's value",
			description:
				"Came, or changed, after those around them were booked; counted in everything but the values of arms, for good. Where it grows, somebody sends late.",
			unit: "short",
			span: 8,
			queries: perExperiment("segue_booking_unbooked_decisions"),
		}),
		stat({
			title: "Failed bookings",
			description:
				"In the last quarter of an hour. Alarm on anything but zero: the reports of the experiment named stand still.",
			unit: "short",
			span: 24,
			alarmFrom: ANY_INCREASE,
			queries: [
				{
					expr: 'sum by (experiment) (increase(segue_booking_failures_total{experiment=~"$experiment"}[15m]))',
					legend: "{{experiment}}",
				},
			],
		}),
	];
}
