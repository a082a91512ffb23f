// Which types of whatsapp-api-js become schemas in whatsapp.json. `_type` is a getter of its
// classes and is never sent.
import type {
  ClientMessageRequest, ServerContacts, ServerErrorResponse, ServerMediaRetrieveResponse,
  ServerMediaUploadResponse, ServerMessage, ServerMessageTypes, ServerSentMessageResponse,
  ServerStatusPayload,
} from "whatsapp-api-js/types";
import type {
  ActionButtons, ActionContactRequest, ActionList, Audio, Body, BodyComponent, BodyParameter,
  Document, Footer, Header, Image, ListSection, Sticker, Template, Text, Video,
} from "whatsapp-api-js/messages";

type Whom = "messaging_product" | "to" | "recipient" | "recipient_type" | "context";
interface Envelope extends Pick<ClientMessageRequest, Whom> {}
interface BodyOfTemplate extends Pick<BodyComponent, "type"> {
  parameters: Omit<BodyParameter, "currency" | "date_time">[];
}
interface Head extends Pick<Header, "type" | "text"> {
  image?: Omit<Image, "_type">;
  document?: Omit<Document, "_type">;
  video?: Omit<Video, "_type">;
}
interface Interactive { body: Body; footer?: Footer; header?: Head }
interface Sections { sections: Pick<ListSection, "title" | "rows">[] }

export interface SentText extends Envelope { type: "text"; text: Omit<Text, "_type"> }
export interface SentAudio extends Envelope { type: "audio"; audio: Omit<Audio, "_type"> }
export interface SentDocument extends Envelope {
  type: "document";
  document: Omit<Document, "_type">;
}
export interface SentImage extends Envelope { type: "image"; image: Omit<Image, "_type"> }
export interface SentVideo extends Envelope { type: "video"; video: Omit<Video, "_type"> }
export interface SentSticker extends Envelope { type: "sticker"; sticker: Omit<Sticker, "_type"> }
export interface SentTemplate extends Envelope {
  type: "template";
  template: Pick<Template, "name" | "language"> & { components?: BodyOfTemplate[] };
}
export interface SentButtons extends Envelope {
  type: "interactive";
  interactive: Interactive & { type: "button"; action: Pick<ActionButtons, "buttons"> };
}
export interface SentList extends Envelope {
  type: "interactive";
  interactive: Interactive & { type: "list"; action: Pick<ActionList, "button"> & Sections };
}
export interface SentContactRequest extends Envelope {
  type: "interactive";
  interactive: Interactive & {
    type: "request_contact_info";
    action: Pick<ActionContactRequest, "name">;
  };
}

export type Received = Pick<
  ServerMessage,
  | "from" | "from_user_id" | "from_parent_user_id" | "id" | "group_id" | "timestamp" | "context"
  | "identity" | "referral"
>;
export type ReceivedKind = ServerMessageTypes;
export type ReceivedContact = ServerContacts;
export type Status = ServerStatusPayload;
export type Taken = ServerSentMessageResponse;
export type Refused = ServerErrorResponse;
export type FileFound = ServerMediaRetrieveResponse;
export type FileTaken = ServerMediaUploadResponse;
