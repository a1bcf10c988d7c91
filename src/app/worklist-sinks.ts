import type { Config } from '../config/config';
import { SmtpClient } from '../sinks/email/client';
import { emailSink } from '../sinks/email/sink';
import { OrthancMetadata } from '../sinks/orthanc-metadata/client';
import { metadataSink } from '../sinks/orthanc-metadata/sink';
import type { Sink } from '../sinks/sink';
import { UpsClient } from '../sinks/ups/client';
import { upsSink } from '../sinks/ups/sink';
import { WebhookClient } from '../sinks/webhook/client';
import { webhookSink } from '../sinks/webhook/sink';

/**
 * Each is null where it is switched off, and throws HilumError CONFIG_INVALID for unreadable TLS files. Nothing
 * connects yet.
 */

export function openUps({ deliveries: { ups }, archive }: Config): Sink | null {
  return ups.enabled && ups.url !== undefined
    ? upsSink(new UpsClient({ ...ups, url: ups.url }), { ...ups, retrieveUrl: ups.retrieveUrl ?? archive.url })
    : null;
}

export function openMetadata({ deliveries: { metadata } }: Config): Sink | null {
  return metadata.enabled && metadata.url !== undefined
    ? metadataSink(new OrthancMetadata({ ...metadata, url: metadata.url }), metadata)
    : null;
}

export function openWebhook({ deliveries: { webhook } }: Config): Sink | null {
  const { enabled, url, secret } = webhook;
  return enabled && url !== undefined && secret !== undefined
    ? webhookSink(new WebhookClient({ ...webhook, url }), { ...webhook, secret })
    : null;
}

export function openEmail({ deliveries: { email } }: Config): Sink | null {
  const { enabled, host, from, to } = email;
  return enabled && host !== undefined && from !== undefined && to !== undefined
    ? emailSink(new SmtpClient({ ...email, host, from, to }), { ...email, from })
    : null;
}
