BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE incident_affected (
	incident INTEGER NOT NULL, 
	target TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY (incident, target), 
	FOREIGN KEY(incident) REFERENCES incidents (id)
);
INSERT INTO "incident_affected" VALUES(1,'site-0/utama',0);
INSERT INTO "incident_affected" VALUES(1,'site-1/utama',1);
INSERT INTO "incident_affected" VALUES(1,'site-2/utama',2);
INSERT INTO "incident_affected" VALUES(1,'site-3/utama',3);
INSERT INTO "incident_affected" VALUES(1,'site-4/utama',4);
INSERT INTO "incident_affected" VALUES(2,'site-0/utama',0);
INSERT INTO "incident_affected" VALUES(2,'site-1/utama',1);
INSERT INTO "incident_affected" VALUES(2,'site-2/utama',2);
INSERT INTO "incident_affected" VALUES(2,'site-3/utama',3);
INSERT INTO "incident_affected" VALUES(2,'site-4/utama',4);
CREATE TABLE incident_events (
	incident INTEGER NOT NULL, 
	sequence INTEGER NOT NULL, 
	change TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	body JSON NOT NULL, 
	PRIMARY KEY (incident, sequence), 
	FOREIGN KEY(incident) REFERENCES incidents (id)
);
INSERT INTO "incident_events" VALUES(1,1,'opened',1764000001000000,'{"id": 1, "scope": "node", "target": "node-1", "state": "down", "started": "2025-11-24T16:00:01.000000Z", "started_earliest": null, "detected": "2025-11-24T16:00:01.000000Z", "ended": null, "ended_earliest": null, "reason": "silence", "end_reason": null, "parent": null, "affected": ["site-0/utama", "site-1/utama", "site-2/utama", "site-3/utama", "site-4/utama"], "suspected_cause": null, "evidence": {}}');
INSERT INTO "incident_events" VALUES(1,2,'closed',1764000002000000,'{"id": 1, "scope": "node", "target": "node-1", "state": "down", "started": "2025-11-24T16:00:01.000000Z", "started_earliest": null, "detected": "2025-11-24T16:00:01.000000Z", "ended": "2025-11-24T16:00:02.000000Z", "ended_earliest": null, "reason": "silence", "end_reason": "answers", "parent": null, "affected": ["site-0/utama", "site-1/utama", "site-2/utama", "site-3/utama", "site-4/utama"], "suspected_cause": null, "evidence": {}}');
INSERT INTO "incident_events" VALUES(2,1,'opened',1764000002000000,'{"id": 2, "scope": "node", "target": "node-2", "state": "down", "started": "2025-11-24T16:00:02.000000Z", "started_earliest": null, "detected": "2025-11-24T16:00:02.000000Z", "ended": null, "ended_earliest": null, "reason": "silence", "end_reason": null, "parent": null, "affected": ["site-0/utama", "site-1/utama", "site-2/utama", "site-3/utama", "site-4/utama"], "suspected_cause": null, "evidence": {}}');
CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	scope TEXT NOT NULL, 
	target TEXT NOT NULL, 
	state TEXT NOT NULL, 
	started_us BIGINT NOT NULL, 
	detected_us BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	proof JSON NOT NULL, 
	ended_us BIGINT, 
	end_reason TEXT, 
	started_earliest_us BIGINT, 
	ended_earliest_us BIGINT, 
	parent INTEGER, 
	suspected_cause TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES(1,'node','node-1','down',1764000001000000,1764000001000000,'silence','{}',1764000002000000,'answers',NULL,NULL,NULL,NULL);
INSERT INTO "incidents" VALUES(2,'node','node-2','down',1764000002000000,1764000002000000,'silence','{}',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('times','columns ending in _us: microseconds since 1970-01-01 UTC');
INSERT INTO "meta" VALUES('last_alive_us','1764000002500000');
CREATE TABLE states (
	target TEXT NOT NULL, 
	state TEXT NOT NULL, 
	since_us BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (target)
);
INSERT INTO "states" VALUES('site-0/utama','up',1764000002000000,'silence');
INSERT INTO "states" VALUES('site-1/utama','up',1764000002000000,'silence');
INSERT INTO "states" VALUES('site-2/utama','up',1764000002000000,'silence');
INSERT INTO "states" VALUES('site-3/utama','up',1764000002000000,'silence');
INSERT INTO "states" VALUES('site-4/utama','up',1764000002000000,'silence');
CREATE TABLE transitions (
	id INTEGER NOT NULL, 
	target TEXT NOT NULL, 
	at_us BIGINT NOT NULL, 
	detected_us BIGINT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	proof JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "transitions" VALUES(1,'site-0/utama',1764000001000000,1764000001000000,'up','down','silence','{}');
INSERT INTO "transitions" VALUES(2,'site-1/utama',1764000001000000,1764000001000000,'up','down','silence','{}');
INSERT INTO "transitions" VALUES(3,'site-2/utama',1764000001000000,1764000001000000,'up','down','silence','{}');
INSERT INTO "transitions" VALUES(4,'site-3/utama',1764000001000000,1764000001000000,'up','down','silence','{}');
INSERT INTO "transitions" VALUES(5,'site-4/utama',1764000001000000,1764000001000000,'up','down','silence','{}');
INSERT INTO "transitions" VALUES(6,'site-0/utama',1764000002000000,1764000002000000,'down','up','silence','{}');
INSERT INTO "transitions" VALUES(7,'site-1/utama',1764000002000000,1764000002000000,'down','up','silence','{}');
INSERT INTO "transitions" VALUES(8,'site-2/utama',1764000002000000,1764000002000000,'down','up','silence','{}');
INSERT INTO "transitions" VALUES(9,'site-3/utama',1764000002000000,1764000002000000,'down','up','silence','{}');
INSERT INTO "transitions" VALUES(10,'site-4/utama',1764000002000000,1764000002000000,'down','up','silence','{}');
CREATE UNIQUE INDEX transitions_once ON transitions (detected_us, target, "before", "after");
CREATE INDEX transitions_of_a_target ON transitions (target, at_us);
CREATE INDEX transitions_by_time ON transitions (at_us);
CREATE INDEX incidents_by_end ON incidents (ended_us);
CREATE INDEX incidents_that_affect ON incident_affected (target);
COMMIT;
