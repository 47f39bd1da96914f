/** What each HTTP client hint tells: `bitrate` is the downlink in kbit/s, which `downlink` gives in Mbit/s; `rtt` is milliseconds, `deviceMemory` GiB. */
export const HINT_VALUES = {
	mobile: "boolean",
	platform: "text",
	downlink: "number",
	bitrate: "number",
	rtt: "number",
	ect: "text",
	saveData: "boolean",
	deviceMemory: "number",
} as const;

export type ClientHint = keyof typeof HINT_VALUES;
export const CLIENT_HINTS = Object.keys(HINT_VALUES) as [
	ClientHint,
	...ClientHint[],
];
