import type { Config } from '../base/config';
import { OrthancMetadata } from '../client/orthanc-metadata';
import { SmtpClient } from '../client/smtp';
import { UpsClient } from '../client/ups';
import { WebhookClient } from '../client/webhook';
import { emailSink } from '../delivery/email';
import { metadataSink } from '../delivery/metadata';
import { upsSink } from '../delivery/ups';
import { webhookSink } from '../delivery/webhook';
import type { Sink } from '../results/sink';

/** Each is null where it is switched off, and throws HilumError CONFIG_INVALID for unreadable TLS files. Nothing connects yet. */

export function openUps({ deliveries: { ups }, archive }: Config): Sink | null {
  return ups.enabled && ups.url !== undefined ? upsSink(new UpsClient({ ...ups, url: ups.url }), { ...ups, retrieveUrl: ups.retrieveUrl ?? archive.url }) : null;
}

export function openMetadata({ deliveries: { metadata } }: Config): Sink | null {
  return metadata.enabled && metadata.url !== undefined ? metadataSink(new OrthancMetadata({ ...metadata, url: metadata.url }), metadata) : null;
}

export function openWebhook({ deliveries: { webhook } }: Config): Sink | null {
  const { enabled, url, secret } = webhook;
  return enabled && url !== undefined && secret !== undefined ? webhookSink(new WebhookClient({ ...webhook, url }), { ...webhook, secret }) : null;
}

export function openEmail({ deliveries: { email } }: Config): Sink | null {
  const { enabled, host, from, to } = email;
  return enabled && host !== undefined && from !== undefined && to !== undefined ? emailSink(new SmtpClient({ ...email, host, from, to }), { ...email, from }) : null;
}
